import { concatRow, llamaConfig } from "./concat-rows.js";
import { genaiBuilder, genaiRow, hubRow } from "./group-query-folders.js";
import type { StateLayers } from "./state-layers.js";
import type { ZooRow } from "./zoo-row.js";

const lfm2: StateLayers = ["convolution", undefined];
const onnxCommunity = "LFM2 (onnx-community)";

/** What transformers.js takes the names of caches and states from. */
const lfm2Config = {
  model_type: "lfm2",
  architectures: ["Lfm2ForCausalLM"],
  layer_types: ["conv", "full_attention"],
  conv_L_cache: 3,
};
const graniteConfig = {
  model_type: "granitemoehybrid",
  architectures: ["GraniteMoeHybridForCausalLM"],
  layer_types: ["mamba", "attention"],
};
const qwenConfig = {
  model_type: "qwen3_next",
  architectures: ["Qwen3NextForCausalLM"],
  layer_types: ["linear_attention", "full_attention"],
};

/** Decoders of which some layers keep a state of fixed size instead of a cache. */
export const stateRows: readonly ZooRow[] = [
  hubRow(
    "short convolutions",
    `${onnxCommunity}, ${genaiBuilder}`,
    { states: lfm2, headNorms: true },
    { config: lfm2Config },
  ),
  concatRow(
    "Concat, short convolutions",
    "LFM2 (torch.onnx.export)",
    { states: lfm2 },
    { config: { ...llamaConfig(2), ...lfm2Config } },
  ),
  concatRow(
    "Concat, short convolutions, positions from the past's shape",
    "LFM2 without GroupQueryAttention (onnxruntime-genai's model builder)",
    { states: lfm2, positions: "past", causal: "trilu" },
    { config: { ...llamaConfig(2), ...lfm2Config } },
  ),
  hubRow(
    "short convolutions behind the attention",
    onnxCommunity,
    { states: [undefined, "convolution"] },
    { config: { ...lfm2Config, layer_types: ["full_attention", "conv"] } },
  ),
  hubRow(
    "short convolutions, num_logits_to_keep",
    onnxCommunity,
    { states: lfm2, logitsCount: true },
    { config: lfm2Config },
  ),
  hubRow(
    "short convolutions, fp16",
    onnxCommunity,
    { states: lfm2, format: "fp16" },
    { config: lfm2Config },
  ),
  hubRow(
    "short convolutions, q4",
    onnxCommunity,
    { states: lfm2, format: "q4" },
    { config: lfm2Config },
  ),
  hubRow(
    "short convolutions begun anew with several ids",
    "LFM2 as transformers has it: a branch for one id behind a state",
    { states: ["convolution, begun anew with several ids", undefined] },
    { config: lfm2Config },
  ),
  hubRow(
    "short convolutions masked by the mask's last columns",
    "LFM2 as transformers has it, padded on the left",
    { states: ["convolution, masked", undefined] },
    { config: lfm2Config },
  ),
  hubRow(
    "short convolutions, a batch of 1",
    "exports without dynamic axes",
    { states: lfm2, staticBatch: "inputs" },
    { config: lfm2Config },
  ),
  hubRow(
    "convolutions of one operator (CausalConvWithState)",
    genaiBuilder,
    { states: ["convolution of one operator", undefined] },
    { config: lfm2Config },
  ),
  genaiRow(
    "convolutions of one operator, other names",
    { states: ["convolution of one operator", undefined] },
    {
      names: {
        inputs: {
          past_key_names: "past.%d.key",
          past_value_names: "past.%d.value",
          past_conv_names: "past.%d.conv",
        },
        outputs: {
          present_key_names: "present.%d.key",
          present_value_names: "present.%d.value",
          present_conv_names: "present.%d.conv",
        },
      },
    },
  ),
  hubRow(
    "Mamba's states",
    "Granite-4-H, Falcon-H1 (onnx-community)",
    { states: ["mamba", undefined] },
    { config: graniteConfig },
  ),
  concatRow(
    "Concat, Mamba's states",
    "Granite-4-H, Falcon-H1 (torch.onnx.export)",
    { states: ["mamba", undefined] },
    { config: { ...llamaConfig(2), ...graniteConfig } },
  ),
  hubRow(
    "linear attention's states",
    "Qwen3-Next (onnx-community)",
    { states: ["linear attention", undefined] },
    { config: qwenConfig },
  ),
  // transformers.js looks for a cache of keys to know how many ids were run.
  hubRow(
    "states alone",
    "Mamba-2, RWKV",
    { states: ["mamba", "convolution"] },
    { transformers: false },
  ),
];

/** As `byRangeRows`, with states. */
export const stateRowsByRange: readonly ZooRow[] = [
  concatRow(
    "short convolutions, activations quantised by their range",
    "LFM2 (onnx-community): model_quantized.onnx",
    { states: lfm2, format: "dynamic" },
    {
      config: { ...llamaConfig(2), ...lfm2Config },
      dtype: "q8",
      file: "model_quantized.onnx",
    },
  ),
];
