import { readFile } from "node:fs/promises";
import { invalidOption, messageOf } from "@streamgauge/core";

/**
 * Reads a text file.
 *
 * @param what the file is, for the error
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export async function readText(path: string, what: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).replace(/^\uFEFF/, "");
  } catch (cause) {
    throw invalidOption(`The ${what} cannot be read: ${messageOf(cause)}.`);
  }
}

/** The result for each line that is not empty; what a line throws names the file and the line. */
export function mapLines<T>(text: string, path: string, parse: (line: string) => T): T[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    try {
      return [parse(line)];
    } catch (cause) {
      throw invalidOption(`${path}:${index + 1}: ${messageOf(cause)}`);
    }
  });
}

/** @throws TypeError for a line that is no JSON object */
export function parseObject(line: string): Readonly<Record<string, unknown>> {
  const json: unknown = JSON.parse(line);
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    return json as Record<string, unknown>;
  }
  throw new TypeError("A line is a JSON object.");
}

/** The value of the one name that is there; undefined where none is. @throws TypeError for two */
export function oneOfNames(
  object: Readonly<Record<string, unknown>>,
  names: readonly string[],
): unknown {
  const given = names.filter((name) => object[name] !== undefined && object[name] !== null);
  if (given.length > 1) throw new TypeError(`${given.join(" and ")} say the same: leave one out.`);
  const [name] = given;
  return name === undefined ? undefined : object[name];
}

/** @throws TypeError for what is no integer ≥ 1; undefined stays */
export function optionalCount(value: unknown, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw new TypeError(`${name} is ${JSON.stringify(value)}; it must be an integer ≥ 1.`);
}
