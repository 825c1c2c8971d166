import type { DecoderShape, FeedForwardShape } from "./decoder-shape.js";
import { microsoft, type GraphBuilder } from "./graph-builder.js";
import { addMatrix, multiply } from "./matrix.js";

/**
 * Adds the feed-forward of a layer: down(activation(gate(x)) · up(x)).
 *
 * @param at its name in the checkpoint, `model.layers.N.mlp`
 */
export function addFeedForward(
  builder: GraphBuilder,
  { hiddenSize, feedForward }: DecoderShape,
  at: string,
  input: string,
): string {
  const { size, stacked, activation } = feedForward;
  const project = (part: string, from: string, rows: number, columns: number): string => {
    const name = `${at}.${part}_proj.weight`;
    const matrix = addMatrix(builder, name, [{ name, rows }], columns);
    return multiply(builder, from, matrix, `${at}.${part}`);
  };
  let gate = `${at}.gate`;
  let up = `${at}.up`;
  if (stacked === true) {
    const both = project("gate_up", input, 2 * size, hiddenSize);
    builder.node("Split", [both], [gate, up], { attributes: { axis: { int: -1 } } });
  } else {
    gate = project("gate", input, size, hiddenSize);
    up = project("up", input, size, hiddenSize);
  }
  const opened = activations[activation](builder, gate, at);
  const gated = builder.node("Mul", [opened, up], [`${at}.gated`]);
  return project("down", gated, hiddenSize, size);
}

type Activation = (builder: GraphBuilder, input: string, at: string) => string;

const activations: Readonly<Record<FeedForwardShape["activation"], Activation>> = {
  silu(builder, input, at) {
    const sigmoid = builder.node("Sigmoid", [input], [`${at}.sigmoid`]);
    return builder.node("Mul", [input, sigmoid], [`${at}.silu`]);
  },
  /** FastGelu is GELU by its approximation with tanh. */
  "tanh-gelu": (builder, input, at) =>
    builder.node("FastGelu", [input], [`${at}.gelu`], { domain: microsoft }),
};
