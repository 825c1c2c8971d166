import { wrongField } from "./config-fields.js";
import type { LayerShape } from "./decoder-shape.js";
import type { FamilyConfig } from "./family.js";
import { readSlidingLayers } from "./layer-types.js";

/** Layers of SmolLM3: some are not turned, and only those may have a window. */
export function smolLm3Layers(read: FamilyConfig): readonly LayerShape[] {
  const { config, fields, file, layerCount } = read;
  const interval = fields.integer("no_rope_layer_interval", 4);
  const listed: unknown = config["no_rope_layers"] ?? undefined;
  if (listed !== undefined && !isList(listed, layerCount)) {
    throw wrongField(file, "no_rope_layers", listed, `a list of ${layerCount} numbers, 0 or 1`);
  }
  const turned = Array.from({ length: layerCount }, (_, layer) =>
    listed === undefined ? (layer + 1) % interval !== 0 : listed[layer] === 1,
  );
  const usesWindow =
    fields.flag("use_sliding_window", false) && (config["sliding_window"] ?? null) !== null;
  const slides = readSlidingLayers(read) ?? turned.map((turns) => usesWindow && !turns);
  return turned.map((turns, layer) => ({
    ...(turns ? { rotation: 0 } : {}),
    ...(usesWindow && slides[layer] === true ? { window: fields.integer("sliding_window") } : {}),
  }));
}

/** The list may go on behind the last layer. */
function isList(value: unknown, least: number): value is readonly (0 | 1)[] {
  return (
    Array.isArray(value) && value.length >= least && value.every((each) => each === 0 || each === 1)
  );
}
