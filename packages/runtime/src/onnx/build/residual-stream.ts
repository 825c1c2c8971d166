import { microsoft, type GraphBuilder } from "./graph-builder.js";
import type { NormShape } from "./decoder-shape.js";

/**
 * The residual stream between two nodes: its sum so far, and a branch that was computed from it and
 * is to be added by the next node.
 */
export interface ResidualStream {
  readonly sum: string;
  readonly branch?: string;
}

/** What a norm's weight is in the checkpoint, and what is made of it. */
export interface NormWeight {
  /** The tensor's name, without `.weight`. */
  readonly at: string;
  readonly size: number;
  /** What the result is divided by; default 1. */
  readonly divisor?: number;
}

/**
 * Adds the open branch to the sum, and normalises the result where there is a norm.
 *
 * @param at names the sum where there is none
 * @returns the new sum, and what the next branch is computed from
 */
export function openBranch(
  builder: GraphBuilder,
  norms: NormShape,
  { sum, branch }: ResidualStream,
  norm: NormWeight | undefined,
  at: string,
): { readonly sum: string; readonly input: string } {
  if (norm === undefined) {
    const added = branch === undefined ? sum : builder.node("Add", [sum, branch], [`${at}.input`]);
    return { sum: added, input: added };
  }
  if (branch === undefined) return { sum, input: addNorm(builder, norms, sum, norm) };
  const newSum = `${norm.at}.sum`;
  const input = builder.node(
    "SkipSimplifiedLayerNormalization",
    [sum, branch, addScale(builder, norms, norm)],
    [`${norm.at}.output`, "", "", newSum],
    { domain: microsoft, attributes: { epsilon: { float: norms.epsilon } } },
  );
  return { sum: newSum, input };
}

/** Normalises the last axis: [..., size]. */
export function addNorm(
  builder: GraphBuilder,
  norms: NormShape,
  input: string,
  norm: NormWeight,
  output = `${norm.at}.output`,
): string {
  const scale = addScale(builder, norms, norm);
  return builder.node("SimplifiedLayerNormalization", [input, scale], [output], {
    attributes: { epsilon: { float: norms.epsilon } },
  });
}

function addScale(
  builder: GraphBuilder,
  { offset }: NormShape,
  { at, size, divisor = 1 }: NormWeight,
): string {
  const name = `${at}.weight`;
  const convert =
    offset === 0 && divisor === 1 ? undefined : (value: number) => (value + offset) / divisor;
  return builder.weight(name, [{ name, rows: size }], [], convert);
}
