import type { Cell, Comparison, Distribution, ResultRecord } from "../record/index.js";
import type { Value } from "./value.js";

/** A treatment against `generate`, where there is an analysis. */
export function comparisonOf(
  cell: Cell | undefined,
  treatment: Comparison["treatment"],
): Comparison | undefined {
  return cell?.analysis?.comparisons.find((candidate) => candidate.treatment === treatment);
}

/** Latencies of a treatment, where they were measured. */
export function distributionOf(
  { distributions }: Pick<Cell, "distributions">,
  treatment: Distribution["treatment"],
  metric: Distribution["metric"],
): Distribution | undefined {
  return distributions.find((one) => one.treatment === treatment && one.metric === metric);
}

const levelNames = {
  processes: "means",
  "within processes": "these",
  blocks: "blocks",
  "too few processes": "too few",
} as const;

/**
 * How many processes comparisons of one cell are from, and what their intervals are
 * about: `in these 4`, or any, of which there are so many means. Empty for a single
 * process in records from before.
 */
export function processesOf(...comparisons: readonly (Comparison | undefined)[]): Value {
  const made = comparisons.filter((comparison) => comparison !== undefined);
  const [{ processes = 1 } = {}] = made;
  const levels = new Set(made.map(({ level = "blocks" }) => levelNames[level]));
  if (made.some(({ level }) => level === "within processes")) {
    return processes === 1 ? "in this one" : `in these ${processes}`;
  }
  return processes === 1 ? "" : `${processes} (${[...levels].join(", ")})`;
}

/** Whether anything was compared in more than one process. */
export function hasSeveralProcesses({ cells }: ResultRecord): boolean {
  return cells.some(({ analysis }) =>
    analysis?.comparisons.some(({ processes = 1 }) => processes > 1),
  );
}
