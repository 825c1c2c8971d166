import { isJsonObject, type JsonObject } from "../../json-object.js";
import { readFields, wrongField } from "./config-fields.js";
import type { LayerShape } from "./decoder-shape.js";
import { llama, noMultipliers, type Family, type FamilyConfig } from "./family.js";
import { readSlidingLayers } from "./layer-types.js";
import { ropeFields, type RopeFields } from "./rope-config.js";

/** Indices of its rotations: that of layers that see everything, and of those with a window. */
const [everywhere, nearby] = [0, 1];

/**
 * The text models of Gemma 3: norms before and behind each branch, whose weights lack their 1;
 * most layers with a window, and with a rotation of their own.
 */
export const gemma3: Family = {
  ...llama,
  modelType: "gemma3_text",
  derivesKeyHeads: false,
  derivesHeadDimension: false,
  tiedByDefault: true,
  activation: { field: "hidden_activation", value: "gelu_pytorch_tanh", as: "tanh-gelu" },
  norms: {
    offset: 1,
    beforeAttention: "input_layernorm",
    afterAttention: "post_attention_layernorm",
    beforeFeedForward: "pre_feedforward_layernorm",
    afterFeedForward: "post_feedforward_layernorm",
  },
  queryKeyNorm: "head",
  scale: ({ positive }) => positive("query_pre_attn_scalar", 256) ** -0.5,
  // The reference rounds it to the type of its weights, which is float32 here.
  multipliers: ({ integer }) => ({
    ...noMultipliers,
    embedding: Math.sqrt(integer("hidden_size")),
  }),
  rope: { ...llama.rope, read: rotations },
  layers,
  understands: ["attention_bias", "sliding_window", "layer_types", "rope_parameters"],
  needsFloat32: "Gemma 3 was trained in bfloat16, and its activations grow beyond half precision",
};

/** Newer configurations have fields for each kind of layer, older ones for layers without a window. */
function rotations(config: JsonObject, file: string): Readonly<Record<string, RopeFields>> {
  const parameters = config["rope_parameters"];
  if (!isJsonObject(parameters)) {
    const theta = readFields(config, file).positive("rope_local_base_freq", 10_000);
    return {
      rotary: ropeFields(config, 1_000_000, file),
      "rotary.local": { own: {}, name: "rope_local_base_freq", theta },
    };
  }
  const of = (type: string): RopeFields => {
    const own = parameters[type];
    const name = `rope_parameters.${type}`;
    if (!isJsonObject(own)) throw wrongField(file, name, own, "an object");
    return { own, name, theta: readFields(own, file).positive("rope_theta") };
  };
  return { rotary: of("full_attention"), "rotary.local": of("sliding_attention") };
}

function layers(read: FamilyConfig): readonly LayerShape[] {
  const { fields, layerCount } = read;
  const pattern = fields.integer("sliding_window_pattern", 6);
  const window = fields.integer("sliding_window", 4096);
  const slides =
    readSlidingLayers(read) ??
    Array.from({ length: layerCount }, (_, layer) => (layer + 1) % pattern !== 0);
  return slides.map((slide) => (slide ? { rotation: nearby, window } : { rotation: everywhere }));
}
