import { costPerToken, logRatio, pairsOf } from "./analysis.js";
import { compareWithLimit, named } from "./bounds.js";
import { tokensOf } from "./derivation.js";
import type {
  Cell,
  CellIdentity,
  Claim,
  ClaimMetric,
  ClaimResult,
  Comparison,
  Estimates,
  Interval,
  Look,
} from "../record/index.js";
import {
  decideSequentially,
  isEquivalent,
  minimumSamples,
  sampleLevel,
  samplesAt,
  type SequentialDecision,
} from "../statistics/index.js";

export type { Claim };

/** Looks of a run in one process: one, at its end. */
export const singleLook: readonly Look[] = [{ processes: 1, tail: 0.05 }];

/** Holds each claim against each cell that it is made for. */
export function judgeClaims(
  claims: readonly Claim[],
  cells: readonly Cell[],
  looks: readonly Look[] = singleLook,
): ClaimResult[] {
  return cells.flatMap((cell) =>
    claims.filter((claim) => isMadeFor(claim, cell)).map((claim) => judge(claim, cell, looks)),
  );
}

/** A verdict with its reasons, and what it was made from. */
type Judgement = Pick<ClaimResult, "verdict" | "reasons"> &
  Partial<Pick<ClaimResult, "look" | "control" | "breakEvenMicrosecondsPerToken">>;

/**
 * Decides one claim three ways, if the instrument is fit to decide it:
 *
 * - void, when `generate` against itself is not equivalent within a quarter of
 *   the limit: what differs there is noise, and the same noise is in the rest;
 * - upheld, when the one-sided upper bounds of both estimators are below the
 *   limit (intersection–union, Berger and Hsu 1996: no correction needed);
 * - refuted, when both lower bounds are above it;
 * - inconclusive otherwise.
 *
 * The bounds are at 95 %, or, where several looks were planned, at the level of
 * the look. A claim of no difference needs no control: it is one. It is upheld
 * by equivalence (two one-sided tests at 5 %, Schuirmann 1987).
 *
 * Overheads are compared as ratios less one, which order as their logarithms do.
 */
export function judge(claim: Claim, cell: Cell, looks: readonly Look[] = singleLook): ClaimResult {
  const { id, metric, treatment, limit } = claim;
  return {
    id,
    metric,
    treatment,
    cell: cell.id,
    limit,
    control: null,
    breakEvenMicrosecondsPerToken: null,
    ...consider(claim, cell, looks),
  };
}

function consider(claim: Claim, cell: Cell, looks: readonly Look[]): Judgement {
  if (cell.failure !== null) return { verdict: "void", reasons: [cell.failure.message] };
  if (cell.analysis === null) {
    const reason = `${cell.blocks.length} blocks are measured; an interval needs ${minimumSamples}.`;
    return { verdict: "inconclusive", reasons: [reason] };
  }
  const { comparisons } = cell.analysis;
  const treated = comparisonOf(comparisons, claim.treatment);
  if (claim.metric === "difference") return judgeDifference(claim.limit, treated);
  const { estimatesOf, marginsAround, show } = metrics[claim.metric];
  const margin = claim.limit / 4;
  const margins = marginsAround(margin);
  const unfit = named(estimatesOf(comparisonOf(comparisons, "control"))).filter(
    ([, estimate]) => !isEquivalent(estimate, margins),
  );
  const rest = {
    control: { margin, equivalent: unfit.length === 0 },
    breakEvenMicrosecondsPerToken:
      claim.metric === "overhead"
        ? Math.max(0, treated.costMicrosecondsPerToken.hodgesLehmann.value) / claim.limit
        : null,
  };
  if (unfit.length === 0)
    return { ...rest, ...decide(claim.metric, claim.limit, cell, treated, looks) };
  const reasons = unfit.map(
    ([name, { value, bounds95 }]) =>
      `Noise: generate against itself differs by ${show(value)} (${name}, 90 % interval ` +
      `${show(bounds95.lower)} to ${show(bounds95.upper)}), not surely within ± ${show(margin)}.`,
  );
  const remedy = "Run again on a quieter machine or with more blocks.";
  return { verdict: "void", reasons: [...reasons, remedy], ...rest };
}

/** Both estimators' one-sided bounds at one level. */
interface Bounds {
  readonly hodgesLehmann: Interval;
  readonly mean: Interval;
}

function decide(
  metric: "overhead" | "absoluteCost",
  limit: number,
  cell: Cell,
  treated: Comparison,
  looks: readonly Look[],
): Judgement {
  if (treated.level === "too few processes") return tooFewProcesses(treated);
  const { name: what, estimatesOf, show } = metrics[metric];
  const explain = ({ hodgesLehmann, mean }: Bounds, at: string): string[] =>
    Object.entries({ "Hodges–Lehmann estimate": hodgesLehmann, mean }).map(
      ([name, { lower, upper }]) =>
        `By the ${name} the ${what} is surely above ${show(lower)} and below ` +
        `${show(upper)} (${at}); the limit is ${show(limit)}.`,
    );
  const detectable =
    `With ${treated.blocks} blocks of standard deviation ${percent(treated.standardDeviation)} ` +
    `the smallest detectable effect is ${percent(treated.smallestDetectableEffect)}.`;
  if (looks.length > 1) {
    const { side, look, bounds } = lookAt(metric, limit, cell, treated.treatment, looks);
    if (look === null || bounds === null) {
      const first = looks[0]?.processes ?? 1;
      const reason = `${treated.processes ?? 1} of the ${first} processes before the first look are done.`;
      return { verdict: "inconclusive", reasons: [reason], look: null };
    }
    const level = `${((1 - look.tail) * 100).toFixed(1)} %`;
    const at = `look ${looks.indexOf(look) + 1} of ${looks.length}, each at ${level}`;
    const reasons = explain(bounds, at);
    return side === "undecided"
      ? { verdict: "inconclusive", reasons: [...reasons, detectable], look }
      : { verdict: side === "below" ? "upheld" : "refuted", reasons, look };
  }
  const { hodgesLehmann, mean } = estimatesOf(treated);
  const reasons = explain(
    { hodgesLehmann: hodgesLehmann.bounds95, mean: mean.bounds95 },
    "each at 95 %",
  );
  const verdict = compareWithLimit(estimatesOf(treated), limit);
  return { verdict, reasons: verdict === "inconclusive" ? [...reasons, detectable] : reasons };
}

/** What the planned looks say, on the scale of the claim's limit. */
function lookAt(
  metric: "overhead" | "absoluteCost",
  limit: number,
  { blocks, ...cell }: Cell,
  treatment: Comparison["treatment"],
  looks: readonly Look[],
): SequentialDecision<Look> {
  const pairs = pairsOf(blocks, treatment);
  const tokens = tokensOf(cell);
  const { sampleOf, toScale, fromScale } = scales[metric];
  const decision = decideSequentially(looks, toScale(limit), ({ processes }) => {
    if (pairs.length < processes) return undefined;
    const seen = pairs.slice(0, processes);
    const level = sampleLevel(seen.map((part) => part.map(logRatio)));
    // They differ, and cannot say by how much: this look sees nothing.
    if (level === "too few processes") return [];
    return samplesAt(
      level,
      seen.map((part) => part.map((pair) => sampleOf(pair, tokens))),
    );
  });
  const rescaled = ({ lower, upper }: Interval): Interval => ({
    lower: fromScale(lower),
    upper: fromScale(upper),
  });
  const { bounds } = decision;
  return bounds === null
    ? decision
    : {
        ...decision,
        bounds: { hodgesLehmann: rescaled(bounds.hodgesLehmann), mean: rescaled(bounds.mean) },
      };
}

/** The scale on which samples are taken, and that on which limits are given. */
const scales = {
  overhead: { sampleOf: logRatio, toScale: Math.log1p, fromScale: Math.expm1 },
  absoluteCost: {
    sampleOf: costPerToken,
    toScale: (microseconds: number) => microseconds,
    fromScale: (microseconds: number) => microseconds,
  },
} as const;

function judgeDifference(limit: number, treated: Comparison): Judgement {
  if (treated.level === "too few processes") return tooFewProcesses(treated);
  const { lower, upper } = metrics.difference.marginsAround(limit);
  const estimates = named(treated.overhead);
  const reasons = estimates.map(
    ([name, { bounds95 }]) =>
      `By the ${name} the difference is between ${percent(bounds95.lower)} and ` +
      `${percent(bounds95.upper)} (90 % interval); the limit is ± ${percent(limit)}.`,
  );
  if (estimates.every(([, estimate]) => isEquivalent(estimate, { lower, upper }))) {
    return { verdict: "upheld", reasons };
  }
  const outside = estimates.every(
    ([, { bounds95 }]) => bounds95.lower > upper || bounds95.upper < lower,
  );
  return { verdict: outside ? "refuted" : "inconclusive", reasons };
}

function tooFewProcesses({ processes }: Comparison): Judgement {
  const reason =
    `The ${processes} processes differ by more than their blocks explain, and ` +
    `an interval of process means needs ${minimumSamples} of them.`;
  return { verdict: "inconclusive", reasons: [reason] };
}

/** What differs between the metrics of claims. */
interface Metric {
  /** In a sentence. */
  readonly name: string;
  readonly estimatesOf: (comparison: Comparison) => Estimates;
  /** As far to either side of no difference as `margin`. */
  readonly marginsAround: (margin: number) => Interval;
  /** With its unit. */
  readonly show: (value: number) => string;
}

const metrics: Readonly<Record<ClaimMetric, Metric>> = {
  overhead: {
    name: "overhead",
    estimatesOf: ({ overhead }) => overhead,
    // ln(1 + margin) on both sides, as a ratio less one.
    marginsAround: (margin) => ({ lower: 1 / (1 + margin) - 1, upper: margin }),
    show: percent,
  },
  difference: {
    name: "difference",
    estimatesOf: ({ overhead }) => overhead,
    marginsAround: (margin) => ({ lower: 1 / (1 + margin) - 1, upper: margin }),
    show: percent,
  },
  absoluteCost: {
    name: "absolute cost",
    estimatesOf: ({ costMicrosecondsPerToken }) => costMicrosecondsPerToken,
    marginsAround: (margin) => ({ lower: -margin, upper: margin }),
    show: (microseconds) => `${microseconds.toFixed(2)} µs per token`,
  },
};

/** Whether a claim is made for a cell. */
export function isMadeFor(claim: Claim, cell: CellIdentity): boolean {
  return Object.entries(claim.of).every(
    ([field, value]) => cell[field as keyof CellIdentity] === value,
  );
}

function comparisonOf(
  comparisons: readonly Comparison[],
  treatment: Comparison["treatment"],
): Comparison {
  const found = comparisons.find((comparison) => comparison.treatment === treatment);
  if (found === undefined) throw new RangeError(`The analysis has no comparison of ${treatment}.`);
  return found;
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}
