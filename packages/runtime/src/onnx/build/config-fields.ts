import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, type JsonObject } from "../../json-object.js";

/** Reads values of a `config.json`. All throw StreamgaugeError `MODEL_CORRUPT`. */
export interface ConfigFields {
  /** @param most beyond it the number must be damaged */
  readonly integer: (field: string, fallback?: number, most?: number) => number;
  readonly positive: (field: string, fallback?: number) => number;
  /** Absent and null are the fallback. */
  readonly flag: (field: string, fallback: boolean) => boolean;
  /** @param length how many there have to be */
  readonly positives: (field: string, length: number) => readonly number[];
}

/**
 * @param fields all of the configuration, or an object in it
 * @param file the path the user knows the configuration by, for the errors
 */
export function readFields(fields: JsonObject, file: string): ConfigFields {
  return {
    integer(field, fallback, most = 2 ** 31 - 1) {
      const value = fields[field] ?? fallback;
      if (typeof value === "number" && Number.isSafeInteger(value) && value > 0 && value <= most) {
        return value;
      }
      throw wrongField(file, field, value, `a positive integer up to ${most}`);
    },
    positive(field, fallback) {
      const value = fields[field] ?? fallback;
      if (isPositive(value)) return value;
      throw wrongField(file, field, value, "a positive number");
    },
    flag(field, fallback) {
      const value = fields[field] ?? fallback;
      if (typeof value === "boolean") return value;
      throw wrongField(file, field, value, "true or false");
    },
    positives(field, length) {
      const value: unknown = fields[field];
      if (Array.isArray(value) && value.length === length && value.every(isPositive)) return value;
      throw wrongField(file, field, value, `a list of ${length} positive numbers`);
    },
  };
}

function isPositive(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

/** What a field holds, or an empty object. */
export function objectIn(config: JsonObject, field: string): JsonObject {
  const value = config[field];
  return isJsonObject(value) ? value : {};
}

/** For a field that no intact configuration has like this. */
export function wrongField(
  file: string,
  field: string,
  value: unknown,
  wanted: string,
): StreamgaugeError {
  const found = value === undefined ? "missing" : JSON.stringify(value);
  return new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file}: ${field} is ${found}, but must be ${wanted}. Correct the field or download the file again.`,
  );
}

/** For a field that makes another computation than ours. */
export function unsupportedField(file: string, field: string, value: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file}: ${field} = ${JSON.stringify(value)} is not implemented by the graph builder. ` +
      `Use an ONNX export of this model.`,
  );
}
