import type { BuiltGraph } from "../../src/onnx/build/graph-builder.js";

/** What `genai_config.json` calls a graph's inputs and outputs; `%d` is the layer. */
export interface GenaiNames {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

/** What onnxruntime-genai's builder and ours call them. */
export const usualNames = {
  inputs: {
    input_ids: "input_ids",
    attention_mask: "attention_mask",
    position_ids: "position_ids",
    past_key_names: "past_key_values.%d.key",
    past_value_names: "past_key_values.%d.value",
    past_conv_names: "past_conv.%d",
  },
  outputs: {
    logits: "logits",
    present_key_names: "present.%d.key",
    present_value_names: "present.%d.value",
    present_conv_names: "present_conv.%d",
  },
} as const;

/** A graph whose inputs and outputs have other names than the usual. */
export function renamed(built: BuiltGraph, names: GenaiNames, layers: number): BuiltGraph {
  const usual: Readonly<Record<string, string>> = { ...usualNames.inputs, ...usualNames.outputs };
  const all = new Map<string, string>();
  for (const [key, own] of Object.entries({ ...names.inputs, ...names.outputs })) {
    for (let layer = 0; layer < layers; layer++) {
      const named = (pattern: string): string => pattern.replace("%d", String(layer));
      all.set(named(usual[key] ?? key), named(own));
    }
  }
  const rename = (name: string): string => all.get(name) ?? name;
  const { nodes, inputs, outputs, ...graph } = built.graph;
  return {
    ...built,
    graph: {
      ...graph,
      nodes: nodes.map((node) => ({
        ...node,
        inputs: node.inputs.map(rename),
        outputs: node.outputs.map(rename),
      })),
      inputs: inputs.map((value) => ({ ...value, name: rename(value.name) })),
      outputs: outputs.map((value) => ({ ...value, name: rename(value.name) })),
    },
  };
}
