import type { JsonObject } from "../../json-object.js";
import { unsupportedField } from "./config-fields.js";
import type { Family } from "./family.js";

/**
 * Refuses what would change the computation and is not implemented: fields of variants that the
 * family does not read itself.
 *
 * @throws StreamgaugeError `MODEL_UNSUPPORTED`, naming the field
 */
export function refuseVariants(config: JsonObject, family: Family, file: string): void {
  for (const [field, isPlain] of Object.entries(plainValues)) {
    if (family.understands.includes(field)) continue;
    const value = config[field] ?? null;
    if (isPlain(value, config)) continue;
    throw unsupportedField(file, field, value);
  }
  const { field, value } = family.activation;
  const named = config[field] ?? value;
  if (named !== value) throw unsupportedField(file, field, named);
}

type IsPlain = (value: unknown, config: JsonObject) => boolean;

const absent: IsPlain = (value) => value === null;
const off: IsPlain = (value) => !value;

/** Fields, and whether a value, null for none, leaves the plain computation as it is. */
const plainValues: Readonly<Record<string, IsPlain>> = {
  attention_bias: off,
  mlp_bias: off,
  rope_interleaved: off,
  use_bidirectional_attention: off,
  quantization_config: absent,
  num_experts: absent,
  num_local_experts: absent,
  attn_logit_softcapping: absent,
  final_logit_softcapping: absent,
  clip_qkv: absent,
  // Qwen names a window even where it does not use it.
  sliding_window: (value, { use_sliding_window: used }) =>
    used === undefined ? value === null : !used,
  layer_types: (value) =>
    !Array.isArray(value) || value.every((layer) => layer === "full_attention"),
};
