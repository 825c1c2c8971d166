import { parseJsonObject } from "../../json-object.js";
import { readFields, unsupportedField, wrongField, type ConfigFields } from "./config-fields.js";
import { refuseVariants } from "./config-variants.js";
import type { AttentionShape, DecoderShape, LayerShape } from "./decoder-shape.js";
import { familyOf } from "./families.js";
import type { Family } from "./family.js";
import { readRotation, type RopeContext } from "./rope-config.js";

/** Beyond any model; a damaged number must not make a graph that fills memory, or a disk. */
const mostLayers = 10_000;
const mostPositions = 2 ** 24;

/**
 * Reads a Hugging Face `config.json` of one of the families that a graph can be built for. A field
 * that would change the computation and is not implemented is refused, never ignored.
 *
 * @param file the path the user knows the configuration by, for the errors
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for another architecture or an
 *   unimplemented variant; `MODEL_CORRUPT` when the JSON, a required field or a
 *   proportion is wrong
 */
export function parseDecoderConfig(json: string, file: string): DecoderShape {
  const config = parseJsonObject(json, file);
  const family = familyOf(config, file);
  refuseVariants(config, family, file);

  const fields = readFields(config, file);
  const { integer, positive, flag } = fields;
  const hiddenSize = integer("hidden_size");
  const contextLength = integer("max_position_embeddings", undefined, mostPositions);
  const layerCount = integer("num_hidden_layers", undefined, mostLayers);
  const attention = readHeads(family, fields, hiddenSize, file);
  const bias = family.bias(config);
  const scale = family.scale(fields);
  const rope: RopeContext = {
    ...family.rope,
    headDimension: attention.headDimension,
    contextLength,
    config,
    file,
  };
  const rotations = Object.entries(family.rope.read(config, file)).map(([name, own]) =>
    readRotation(name, own, rope),
  );
  const layers = family.layers({ config, fields, file, layerCount });
  return {
    vocabularySize: integer("vocab_size"),
    hiddenSize,
    contextLength,
    tiedEmbeddings: flag("tie_word_embeddings", family.tiedByDefault),
    norms: { epsilon: positive("rms_norm_eps"), ...family.norms },
    attention: {
      ...attention,
      ...(scale === undefined ? {} : { scale }),
      ...(bias === undefined ? {} : { bias }),
    },
    feedForward: {
      size: integer("intermediate_size"),
      activation: family.activation.as,
      ...(family.stacked === undefined ? {} : { stacked: family.stacked }),
    },
    multipliers: family.multipliers(fields),
    rotations,
    layers: layers.map((layer) => withoutIdleWindow(layer, contextLength)),
    ...(family.needsFloat32 === undefined ? {} : { needsFloat32: family.needsFloat32 }),
  };
}

function readHeads(
  family: Family,
  { integer }: ConfigFields,
  hiddenSize: number,
  file: string,
): AttentionShape {
  const heads = integer("num_attention_heads");
  const shape: AttentionShape = {
    heads,
    keyValueHeads: integer("num_key_value_heads", family.derivesKeyHeads ? heads : undefined),
    headDimension: integer(
      "head_dim",
      family.derivesHeadDimension ? hiddenSize / heads : undefined,
    ),
    ...(family.stacked === undefined ? {} : { stacked: family.stacked }),
    ...(family.queryKeyNorm === undefined ? {} : { queryKeyNorm: family.queryKeyNorm }),
  };
  const { keyValueHeads, headDimension } = shape;
  if (heads % keyValueHeads !== 0) {
    const wanted = "a divisor of num_attention_heads";
    throw wrongField(file, "num_key_value_heads", keyValueHeads, wanted);
  }
  if (headDimension % 2 !== 0) throw wrongField(file, "head_dim", headDimension, "an even number");
  if (headDimension % 16 !== 0) throw unsupportedField(file, "head_dim", headDimension);
  return shape;
}

/** A window that no context leaves is none. */
function withoutIdleWindow(layer: LayerShape, contextLength: number): LayerShape {
  const { window = contextLength, ...rest } = layer;
  return window < contextLength ? layer : rest;
}
