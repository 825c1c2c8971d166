import type { JsonObject } from "../../json-object.js";
import { isJsonObject } from "../../json-object.js";
import { objectIn, readFields, unsupportedField, wrongField } from "./config-fields.js";
import type { Rotation } from "./decoder-shape.js";
import {
  longRopeMagnitude,
  plainFrequencies,
  slowLongWaves,
  yarnFrequencies,
  yarnMagnitude,
} from "./rotary-frequencies.js";

/** Kinds of rotation, as `rope_type` names them. */
export type RopeType = "default" | "linear" | "dynamic" | "llama3" | "yarn" | "longrope";

/** Fields of a configuration that describe one rotation. */
export interface RopeFields {
  /** `rope_parameters`, `rope_scaling`, or what of them goes for a kind of layers. */
  readonly own: JsonObject;
  /** What the fields are called in the configuration, for errors. */
  readonly name: string;
  readonly theta: number;
}

/** What a rotation depends on beside its own fields. */
export interface RopeContext {
  /** Elements of a head. */
  readonly headDimension: number;
  readonly contextLength: number;
  /** Other words for kinds of rotation that a family has. */
  readonly aliases: Readonly<Record<string, RopeType>>;
  /** The kinds that a family may have. */
  readonly types: readonly RopeType[];
  /** Whether a part of each head may be left as it is. */
  readonly partial: boolean;
  readonly config: JsonObject;
  readonly file: string;
}

/**
 * The rotation of all layers: `rope_parameters` in newer configurations, `rope_scaling` and fields
 * beside it in older ones.
 */
export function ropeFields(config: JsonObject, defaultTheta: number, file: string): RopeFields {
  const name = isJsonObject(config["rope_parameters"]) ? "rope_parameters" : "rope_scaling";
  const value = config[name] ?? {};
  if (!isJsonObject(value)) throw unsupportedField(file, name, value);
  const own = objectIn(config, name);
  const { positive } = readFields({ ...config, ...own }, file);
  return { own, name, theta: positive("rope_theta", defaultTheta) };
}

/**
 * Reads a rotation. The rules are those of Hugging Face's `modeling_rope_utils.py`.
 *
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for a kind, or a field of one, that is not
 *   implemented; `MODEL_CORRUPT` for a value out of its range
 */
export function readRotation(name: string, fields: RopeFields, context: RopeContext): Rotation {
  const { own, theta } = fields;
  const { config, file, headDimension } = context;
  const type = typeOf(own, context);
  refuseUnknown(type, fields, file);
  const { positive } = readFields({ ...config, ...own }, file);
  const share = positive("partial_rotary_factor", 1);
  const size = headDimension * share;
  // GroupQueryAttention turns multiples of 16.
  if (share !== 1 && (!context.partial || share > 1 || size % 16 !== 0)) {
    throw unsupportedField(file, "partial_rotary_factor", share);
  }
  return { name, ...kinds[type]({ theta, size, own, context }) };
}

function typeOf(own: JsonObject, { aliases, types, file }: RopeContext): RopeType {
  const named = own["rope_type"] ?? own["type"] ?? "default";
  const type = (typeof named === "string" ? aliases[named] : undefined) ?? named;
  const known = types.find((each) => each === type);
  if (known === undefined) throw unsupportedField(file, "rope type", named);
  return known;
}

const common = ["rope_type", "type", "rope_theta", "partial_rotary_factor"];
const original = "original_max_position_embeddings";

/** Fields that each kind has, beside the {@link common} ones. */
const knownFields: Readonly<Record<RopeType, readonly string[]>> = {
  default: [],
  linear: ["factor"],
  dynamic: ["factor", original],
  llama3: ["factor", "low_freq_factor", "high_freq_factor", original],
  yarn: [
    "factor",
    "attention_factor",
    "beta_fast",
    "beta_slow",
    "mscale",
    "mscale_all_dim",
    "truncate",
    original,
  ],
  longrope: ["factor", "attention_factor", "short_factor", "long_factor", original],
};

function refuseUnknown(type: RopeType, { own, name }: RopeFields, file: string): void {
  const known = [...common, ...knownFields[type]];
  for (const [field, value] of Object.entries(own)) {
    if (known.includes(field) || value === null) continue;
    throw unsupportedField(file, `${name}.${field}`, value);
  }
}

interface Read {
  readonly theta: number;
  /** Elements that are turned. */
  readonly size: number;
  readonly own: JsonObject;
  readonly context: RopeContext;
}

type Kind = (read: Read) => Omit<Rotation, "name">;

const kinds: Readonly<Record<RopeType, Kind>> = {
  default: ({ theta, size }) => ({ frequencies: plainFrequencies(theta, size), scale: 1 }),

  linear({ theta, size, own, context }) {
    const factor = readFields(own, context.file).positive("factor");
    const frequencies = plainFrequencies(theta, size).map((frequency) => frequency / factor);
    return { frequencies, scale: 1 };
  },

  /** Frequencies change behind `max_position_embeddings` only, where the context ends here. */
  dynamic({ theta, size, own, context: { file, contextLength } }) {
    const { positive, integer } = readFields(own, file);
    positive("factor");
    if (integer(original, contextLength) !== contextLength) {
      throw unsupportedField(file, original, own[original]);
    }
    return { frequencies: plainFrequencies(theta, size), scale: 1 };
  },

  llama3({ theta, size, own, context: { file } }) {
    const { positive } = readFields(own, file);
    const scaling = {
      factor: positive("factor"),
      lowFrequencyFactor: positive("low_freq_factor"),
      highFrequencyFactor: positive("high_freq_factor"),
      originalContextLength: positive(original),
    };
    const { lowFrequencyFactor: low, highFrequencyFactor: high } = scaling;
    if (high <= low)
      throw wrongField(file, "high_freq_factor", high, "greater than low_freq_factor");
    const frequencies = plainFrequencies(theta, size).map((frequency) =>
      slowLongWaves(frequency, scaling),
    );
    return { frequencies, scale: 1 };
  },

  yarn({ theta, size, own, context: { file, contextLength } }) {
    const { positive, flag, integer } = readFields(own, file);
    const originalContextLength = integer(original, contextLength);
    const factor = positive("factor", contextLength / originalContextLength);
    const [fastTurns, slowTurns] = [positive("beta_fast", 32), positive("beta_slow", 1)];
    if (fastTurns <= slowTurns) throw wrongField(file, "beta_fast", fastTurns, "above beta_slow");
    const scaling = {
      factor,
      originalContextLength,
      fastTurns,
      slowTurns,
      wholePairs: flag("truncate", true),
    };
    const recommended =
      own["mscale"] && own["mscale_all_dim"]
        ? yarnMagnitude(factor, positive("mscale")) /
          yarnMagnitude(factor, positive("mscale_all_dim"))
        : yarnMagnitude(factor);
    return {
      frequencies: yarnFrequencies(theta, size, scaling),
      scale: positive("attention_factor", recommended),
    };
  },

  /** Once there are more ids than in the original context, all positions have the long factors. */
  longrope({ theta, size, own, context: { config, file, contextLength } }) {
    const fields = readFields(own, file);
    const { integer } = readFields({ ...config, ...own }, file);
    const beyond = integer(original);
    const factor = fields.positive("factor", contextLength / beyond);
    const plain = plainFrequencies(theta, size);
    const slowed = (field: string): number[] => {
      const factors = fields.positives(field, size / 2);
      return plain.map((frequency, pair) => frequency / (factors[pair] as number));
    };
    return {
      frequencies: slowed("short_factor"),
      scale: fields.positive("attention_factor", longRopeMagnitude(factor, beyond)),
      long: { beyond, frequencies: slowed("long_factor") },
    };
  },
};
