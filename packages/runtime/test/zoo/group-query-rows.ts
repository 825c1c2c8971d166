import { genaiBuilder, genaiRow, hubRow, otherNames } from "./group-query-folders.js";
import { longBorder } from "./group-query-layout.js";
import type { ZooRow } from "./zoo-row.js";

/** Decoders with one operator for the attention. */
export const groupQueryRows: readonly ZooRow[] = [
  hubRow("lengths from the mask", `${genaiBuilder}, transformers.js exports`, {}),
  hubRow("turned in front of the attention", genaiBuilder, {
    turning: "before",
    positions: "input",
  }),
  hubRow("positions from the past's shape", "torch.onnx.export with dynamo", {
    turning: "before",
    positions: "past",
  }),
  hubRow("positions from the past's shape in a branch", "hand-written exporters", {
    turning: "before",
    positions: "past in a branch",
  }),
  hubRow("positions from the mask's sum less the ids", "hand-written exporters", {
    turning: "before",
    positions: "mask",
  }),
  hubRow("positions from the mask's running sum", "torch.onnx.export of Llama", {
    turning: "before",
    positions: "running sum",
  }),
  hubRow("positions from the mask's width", "hand-written exporters", {
    turning: "before",
    positions: "mask's width",
  }),
  hubRow("lengths from the past's shape", "hand-written exporters", { lengths: "past" }),
  hubRow("the mean of present in the logits", "hand-written exporters", {
    reader: "mean of present",
  }),
  hubRow("the length of present in the logits", "hand-written exporters", {
    reader: "length of present",
  }),
  hubRow("the past cut to what is valid by Slice", "exporters for static buffers", {
    reader: "past by Slice",
  }),
  hubRow("a batch of 1 in the inputs' shapes", "exports without dynamic axes", {
    staticBatch: "inputs",
  }),
  hubRow("a batch of 1 in the cache's shapes", "exports without dynamic axes", {
    cacheDimensions: [1],
  }),
  hubRow("a batch of 1 in a Reshape", "traced exports", { staticBatch: "a Reshape" }),
  hubRow("lengths from position_ids", "onnxscript's fusion to GroupQueryAttention", {
    lengths: "positions",
  }),
  // transformers.js makes wrong ids of these itself behind the border: its cache is of both tables.
  hubRow(
    `longrope picked by If behind ${longBorder} positions`,
    `${genaiBuilder}, Phi-3 and Phi-4-mini`,
    {
      longRope: "If",
    },
    { transformers: false },
  ),
  hubRow(
    "longrope picked by Where from position_ids",
    "torch.onnx.export of Phi-3",
    {
      longRope: "Where by positions",
    },
    { transformers: false },
  ),
  hubRow(
    "longrope by positions behind the short table",
    `${genaiBuilder} without If`,
    {
      turning: "before",
      longRope: "positions behind the short table",
    },
    { transformers: false },
  ),
  hubRow("queries, keys and values packed", genaiBuilder, { packed: true }),
  hubRow("given positions, its input 9", genaiBuilder, {
    positions: "input",
    givesPositions: true,
  }),
  hubRow("norms of each head", `${genaiBuilder}, Qwen-3`, { headNorms: true }),
  hubRow("windows of 24 rows in one layer", `${genaiBuilder}, Gemma-2 and Gemma-3`, {
    windows: [24, undefined],
  }),
  hubRow("windows of 24 rows everywhere", `${genaiBuilder}, Mistral`, { windows: [24, 24] }),
  hubRow("both softcaps", `${genaiBuilder}, Gemma-2`, {
    windows: [24, undefined],
    softcap: 3,
    logitsCap: 4,
  }),
  hubRow("a sink for each head", `${genaiBuilder}, gpt-oss`, {
    windows: [24, undefined],
    sink: "by head",
  }),
  hubRow("one sink for all heads", genaiBuilder, { sink: "smooth" }),
  hubRow("attention_bias from the mask's width", genaiBuilder, { bias: "mask" }),
  hubRow("attention_bias from the past's shape", "torch.onnx.export with dynamo", { bias: "past" }),
  hubRow("attention_bias with a window from the mask's width", "exporters for windows", {
    bias: "window",
  }),
  hubRow("other heads of keys in each layer", "OpenELM", { keyHeads: [1, 4] }),
  hubRow("wider heads in one layer", "Gemma-4", { headWidths: [16, 32] }),
  hubRow("a cache that two layers share", "Gemma-3n and Gemma-4", {
    sharesCache: true,
    turning: "before",
    positions: "input",
  }),
  hubRow("outputs in reverse", "optimum", { reversed: true }),
  hubRow("hidden_states in front of the logits", "optimum", { hiddenStates: "first" }),
  hubRow("hidden_states behind the cache", `${genaiBuilder}, include_hidden_states`, {
    hiddenStates: "last",
  }),
  hubRow("num_logits_to_keep", "transformers.js exports", { logitsCount: true }),
  hubRow("num_logits_to_keep and windows", "transformers.js exports", {
    logitsCount: true,
    windows: [24, undefined],
  }),
  hubRow("logits of the last position alone", `${genaiBuilder}, prune_lm_head`, {
    lastLogits: true,
  }),
  hubRow("fp16", "transformers.js exports", { format: "fp16" }),
  hubRow("q4", "transformers.js exports", { format: "q4" }),
  hubRow("q4f16", "transformers.js exports", { format: "q4f16" }),
  hubRow("weights in a file beside the graph", "transformers.js exports", {}, { external: true }),
  hubRow("MultiHeadAttention with a bias", `${genaiBuilder} without grouped heads`, {
    attention: "multi-head",
    keyHeads: [4, 4],
    turning: "before",
    positions: "input",
    bias: "mask",
  }),
  hubRow("MultiHeadAttention by its own attribute", "onnxruntime's optimizer", {
    attention: "multi-head",
    keyHeads: [4, 4],
    turning: "before",
    positions: "input",
    bias: "attribute",
  }),
  hubRow("Attention-23 with a bias", "torch.onnx.export for operator set 23", {
    attention: "standard",
    turning: "before",
    positions: "input",
    bias: "mask",
  }),
  hubRow("Attention-23 with a mask of bools", "torch.onnx.export for operator set 23", {
    attention: "standard",
    turning: "before",
    positions: "past",
    bias: "bool",
    softcap: 12,
  }),
  hubRow("Attention-23 by its own attribute", "torch.onnx.export for operator set 23", {
    attention: "standard",
    turning: "before",
    positions: "input",
    bias: "attribute",
  }),
  genaiRow("shared buffers", { packed: true }),
  genaiRow("separate buffers", { packed: true }, { sharesBuffer: false, external: false }),
  genaiRow("other names", { turning: "before", positions: "input" }, { names: otherNames }),
  genaiRow("fp16", { format: "fp16", packed: true }),
  genaiRow("q4", { format: "q4" }),
  genaiRow("longrope picked by If", { longRope: "If" }),
  genaiRow("longrope picked by If, turned in front", {
    longRope: "If",
    turning: "before",
    positions: "input",
  }),
  genaiRow(
    "windows without a ring",
    { windows: [40, 40] },
    {
      decoder: {
        sliding_window: { window_size: 40, slide_key_value_cache: false, slide_inputs: false },
      },
    },
  ),
  genaiRow(
    "windows in a ring",
    { windows: [40, undefined], ring: true },
    {
      decoder: {
        sliding_window: {
          window_size: 40,
          slide_key_value_cache: false,
          slide_inputs: false,
          layers: [0],
        },
      },
    },
  ),
  genaiRow("the cache's last dimension has a name", {
    cacheDimensions: [undefined, undefined, undefined, "kv_cache_dim"],
  }),
  genaiRow("hidden_states behind the cache", { hiddenStates: "last" }),
];
