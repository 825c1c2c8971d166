import { unsupportedField, wrongField } from "./config-fields.js";
import type { FamilyConfig } from "./family.js";

const known = ["full_attention", "sliding_attention"];

/**
 * Reads `layer_types`: for each layer whether it looks back by a window.
 *
 * @returns undefined where the configuration has no such list
 * @throws StreamgaugeError `MODEL_CORRUPT` for a list of another length, `MODEL_UNSUPPORTED` for
 *   another type
 */
export function readSlidingLayers({
  config,
  file,
  layerCount,
}: FamilyConfig): readonly boolean[] | undefined {
  const types: unknown = config["layer_types"] ?? undefined;
  if (types === undefined) return undefined;
  if (!Array.isArray(types) || types.length !== layerCount) {
    throw wrongField(file, "layer_types", types, `a list of ${layerCount} layers`);
  }
  const strange: unknown = types.find((type) => !known.includes(type));
  if (strange !== undefined) throw unsupportedField(file, "layer_types", types);
  return types.map((type) => type === "sliding_attention");
}
