import { costPerToken, logRatio, pairsOf, type Pair } from "./analysis.js";
import { budgetOf, excludes, named, scaleBounds } from "./bounds.js";
import { tokensOf } from "./derivation.js";
import type {
  Cell,
  CellIdentity,
  Claim,
  ClaimMetric,
  ClaimResult,
  Comparison,
  Look,
} from "../record/index.js";
import {
  boundBoth,
  decideSequentially,
  fewestBlocks,
  fewestProcesses,
  isEquivalent,
  mean,
  minimumSamples,
} from "../statistics/index.js";

export type { Claim };

/** One look at whatever there is, where no looks were planned. */
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
 * Decides one claim, by the one-sided bounds of both estimators over process means
 * (intersection–union, Berger and Hsu 1996: no correction needed), with room for the
 * systematic error c that the control cannot exclude: the largest of the bounds of
 * `generate` against itself, at the same level.
 *
 * - inconclusive, with fewer than {@link fewestProcesses} processes or
 *   {@link fewestBlocks} blocks: nothing can be said of the next process;
 * - upheld, when both upper bounds plus c are below the limit;
 * - refuted, when both lower bounds less c are above it;
 * - else void, when the control shows a difference: both of its two-sided intervals
 *   exclude that there is none;
 * - else inconclusive.
 *
 * Overheads are compared as logarithms. Bounds are at 95 %, or, where several looks were
 * planned, at the level of the look. A claim of no difference needs no control: it is
 * one. It is upheld by equivalence (two one-sided tests at 5 %, Schuirmann 1987).
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
  const treated = comparisonOf(cell.analysis.comparisons, claim.treatment);
  const isOverhead = claim.metric === "overhead";
  const rest = {
    ...(claim.metric !== "difference" && looks.length > 1 && { look: null }),
    breakEvenMicrosecondsPerToken: isOverhead
      ? Math.max(0, treated.costMicrosecondsPerToken.hodgesLehmann.value) / claim.limit
      : null,
  };
  const missing = whatIsMissing(treated);
  if (missing !== null) return { verdict: "inconclusive", reasons: [missing], ...rest };
  const decided =
    claim.metric === "difference"
      ? judgeDifference(claim.limit, treated)
      : decide(claim.metric, claim.limit, cell, treated, looks);
  return { ...rest, ...decided };
}

/** Why there can be no verdict, and the remedy; null where there can. */
function whatIsMissing({ blocks, processes = 1 }: Comparison): string | null {
  if (processes < fewestProcesses) {
    const [measured, these] =
      processes === 1
        ? ["1 process", "this process"]
        : [`${processes} processes`, "these processes"];
    return (
      `Measured in ${measured}: the interval is about ${these} and says nothing of the next. ` +
      `A verdict needs ${fewestProcesses} processes; the presets measure them.`
    );
  }
  if (blocks < fewestBlocks) {
    return (
      `${blocks} blocks are measured. A verdict needs ${fewestBlocks}: what happens to 5 % of the ` +
      "runs is then seen with a probability of 95 %. Measure more blocks."
    );
  }
  return null;
}

function decide(
  metric: "overhead" | "absoluteCost",
  limit: number,
  cell: Cell,
  treated: Comparison,
  looks: readonly Look[],
): Judgement {
  const { name: what, sampleOf, toScale, fromScale, show } = metrics[metric];
  const tokens = tokensOf(cell);
  const meansOf = (treatment: Comparison["treatment"]): number[] =>
    pairsOf(cell.blocks, treatment).map((pairs) =>
      mean(pairs.map((pair) => sampleOf(pair, tokens))),
    );
  const blocksOf = pairsOf(cell.blocks, "control").map(({ length }) => length);
  const own = meansOf(treated.treatment);
  const control = meansOf("control");
  const planned =
    looks.length > 1 ? looks : looks.map(({ tail }): Look => ({ processes: own.length, tail }));
  const budgetAt = ({ processes, tail }: Look): number =>
    budgetOf(boundBoth(control.slice(0, processes), tail));
  const { side, look, bounds } = decideSequentially(
    planned,
    toScale(limit),
    ({ processes }) => {
      if (own.length < processes) return undefined;
      const blocks = blocksOf.slice(0, processes).reduce((sum, count) => sum + count, 0);
      // A look that comes too early sees nothing.
      return processes < fewestProcesses || blocks < fewestBlocks ? [] : own.slice(0, processes);
    },
    budgetAt,
  );
  if (look === null || bounds === null) {
    const next = planned.find(({ processes }) => processes > own.length) ?? planned.at(-1);
    const reason =
      `${own.length} processes are done; the next look comes after ${next?.processes}, and takes ` +
      `${fewestProcesses} processes and ${fewestBlocks} blocks.`;
    return { verdict: "inconclusive", reasons: [reason] };
  }
  const budget = budgetAt(look);
  const controlBounds = boundBoth(control.slice(0, look.processes), look.tail / 2);
  const differs = excludes(controlBounds, 0);
  const level = `${((1 - look.tail) * 100).toFixed(looks.length > 1 ? 1 : 0)} %`;
  const at =
    looks.length > 1
      ? `look ${planned.indexOf(look) + 1} of ${planned.length}, each at ${level}`
      : `each at ${level}`;
  const room = `± ${show(fromScale(budget))}`;
  const reasons = named(scaleBounds(bounds, fromScale)).map(
    ([name, { lower, upper }]) =>
      `By the ${name} the ${what} is surely above ${show(lower)} and below ${show(upper)} (${at}); ` +
      `the control leaves room for ${room}; the limit is ${show(limit)}.`,
  );
  const rest = {
    ...(looks.length > 1 && { look }),
    control: Number.isFinite(budget) ? { margin: fromScale(budget), equivalent: !differs } : null,
  };
  if (side !== "undecided") {
    return { verdict: side === "below" ? "upheld" : "refuted", reasons, ...rest };
  }
  if (!differs) {
    return { verdict: "inconclusive", reasons: [...reasons, detectableBy(treated)], ...rest };
  }
  const noise = named(scaleBounds(controlBounds, fromScale)).map(
    ([name, { lower, upper }]) =>
      `Noise: generate against itself differs by ${show(lower)} to ${show(upper)} (${name}), ` +
      "which excludes no difference.",
  );
  const remedy = "Run again on a quieter machine.";
  return { verdict: "void", reasons: [...reasons, ...noise, remedy], ...rest };
}

function detectableBy({ level, processes = 1, blocks, ...of }: Comparison): string {
  const samples = level === "processes" ? `${processes} process means` : `${blocks} blocks`;
  return (
    `With ${samples} of standard deviation ${percent(of.standardDeviation)} ` +
    `the smallest detectable effect is ${percent(of.smallestDetectableEffect)}.`
  );
}

function judgeDifference(limit: number, treated: Comparison): Judgement {
  // As far to either side on the scale of logarithms.
  const [lower, upper] = [1 / (1 + limit) - 1, limit];
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

/** What differs between the metrics of claims. */
interface Metric {
  /** In a sentence. */
  readonly name: string;
  readonly sampleOf: (pair: Pair, tokens: number) => number;
  /** From the scale of limits to that of samples. */
  readonly toScale: (limit: number) => number;
  readonly fromScale: (value: number) => number;
  /** With its unit. */
  readonly show: (value: number) => string;
}

const metrics: Readonly<Record<Exclude<ClaimMetric, "difference">, Metric>> = {
  overhead: {
    name: "overhead",
    sampleOf: logRatio,
    toScale: Math.log1p,
    fromScale: Math.expm1,
    show: percent,
  },
  absoluteCost: {
    name: "absolute cost",
    sampleOf: costPerToken,
    toScale: (microseconds) => microseconds,
    fromScale: (microseconds) => microseconds,
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
