import { mean } from "../statistics/descriptive.js";
import {
  estimateBoth,
  hodgesLehmannBounds,
  holm,
  meanBounds,
  minimumSamples,
  rescale,
} from "../statistics/index.js";
import type { Estimates } from "../record/index.js";
import { sampleLevel, samplesAt, type GateSampleLevel } from "./sample-level.js";

/** What a gate can say. */
export const gateVerdicts = ["regression", "none", "inconclusive"] as const;

/**
 * What a gate says of a metric, or of all:
 *
 * - `regression`: head is slower, beyond what is indifferent, and perhaps by the
 *   threshold or more;
 * - `none`: head is surely not slower by the threshold;
 * - `inconclusive`: neither can be told.
 */
export type GateVerdict = (typeof gateVerdicts)[number];

/** What was measured of one metric: ln(head / base) of each block of each pair of processes. */
export interface GateSamples {
  readonly metric: string;
  readonly logRatios: readonly (readonly number[])[];
}

/** One metric, judged. */
export interface JudgedMetric {
  readonly metric: string;
  readonly verdict: GateVerdict;
  /** What a sample was; blocks where processes do not differ. */
  readonly level: GateSampleLevel;
  readonly blocks: number;
  /** Head over base, less one; null with too few samples. */
  readonly change: Estimates | null;
}

/** The family-wise chance of any false regression, and the level of each bound that clears. */
export const gateAlpha = 0.05;

/**
 * Up to this share of the threshold a slowdown is not worth a regression, however
 * surely it is there: the bench's own control may differ by as much.
 */
export const indifferentShare: number = 1 / 4;

/**
 * Judges each metric, by both estimators together as claims are judged:
 *
 * - `none` where both upper 95 % bounds are below the threshold;
 * - else `regression` where both lower bounds are above a quarter of it, at
 *   levels that Holm's correction gives: over all metrics, false alarms of any
 *   kind come with a probability of at most 5 %;
 * - else `inconclusive`. Clearing needs no correction: all have to be cleared
 *   (intersection–union, Berger and Hsu 1996).
 *
 * @param threshold a fraction above 0: 0.05 for 5 %
 */
export function judgeMetrics(samples: readonly GateSamples[], threshold: number): JudgedMetric[] {
  const limit = Math.log1p(threshold);
  const indifferent = Math.log1p(threshold * indifferentShare);
  const seen = samples.map(({ metric, logRatios }) => {
    const blocks = logRatios.reduce((sum, { length }) => sum + length, 0);
    const level = blocks === 0 ? "blocks" : sampleLevel(logRatios);
    const values = samplesAt(level, logRatios);
    const fit = level !== "too few processes" && values.length >= minimumSamples;
    return { metric, blocks, level, values, estimates: fit ? estimateBoth(values) : null };
  });
  const slower = holm(seen.length, gateAlpha, (index, level) => {
    const { values, estimates } = seen[index]!;
    if (estimates === null) return false;
    const bounds = [hodgesLehmannBounds(values, level), meanBounds(values, level)];
    return bounds.every(({ lower }) => lower > indifferent);
  });
  return seen.map(({ metric, blocks, level, estimates }, index) => ({
    metric,
    blocks,
    level,
    change: estimates === null ? null : rescale(estimates, Math.expm1),
    verdict: isBelow(estimates, limit) ? "none" : slower.has(index) ? "regression" : "inconclusive",
  }));
}

function isBelow(estimates: Estimates | null, limit: number): boolean {
  if (estimates === null) return false;
  return [estimates.hodgesLehmann, estimates.mean].every(({ bounds95 }) => bounds95.upper < limit);
}

/** One regression is one; no regression needs all to be cleared, and at least one metric. */
export function overallVerdict(metrics: readonly Pick<JudgedMetric, "verdict">[]): GateVerdict {
  if (metrics.some(({ verdict }) => verdict === "regression")) return "regression";
  const cleared = metrics.length > 0 && metrics.every(({ verdict }) => verdict === "none");
  return cleared ? "none" : "inconclusive";
}

/** 0 no regression, 1 a regression, 2 inconclusive. */
export function exitCodeOfGate(verdict: GateVerdict): number {
  return { none: 0, regression: 1, inconclusive: 2 }[verdict];
}

/** The geometric mean, in the unit of the values, which are above 0. */
export function typical(values: readonly number[]): number {
  return Math.exp(mean(values.map(Math.log)));
}
