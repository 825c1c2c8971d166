import { invalidOption } from "@streamgauge/core";
import type { FoundRate } from "../record/index.js";

/** How a rate is looked for. */
export interface RateSearch {
  /** First rate that is tried, per second; above 0. */
  readonly startPerSecond: number;
  /** The search ends when missed / met − 1 is at most this; from 0.01 to 1. */
  readonly precision: number;
}

/**
 * What a step showed. `late`: it missed because the client was late, so that nothing is known of the
 * server.
 */
export type StepVerdict = "met" | "missed" | "late" | "interrupted";

/** Offers a rate for a step, each time with other arrivals. */
export type TryRate = (perSecond: number) => Promise<StepVerdict>;

/** Of the precision that is asked where nothing is said. */
export const defaultPrecision = 0.05;

/** A step takes half a minute or longer. */
const mostSteps = 60;

/** Below this part of the first rate nothing is tried. */
const lowestPart = 1 / 128;

/** Steps of one rate in which the client may be late. */
const mostLateSteps = 3;

/** Steps that have to agree at either end. */
const agreeing = 2;

/** For the record. */
const method =
  "Doubling or halving from the first rate until one meets the objective and one misses it, then " +
  "bisecting their ratio; the two ends count once two of at most three steps with other arrivals " +
  "agree. Binary search as in RFC 2544, 26.1, with a lower and an upper bound from repeated trials as " +
  "in MLRsearch (draft-ietf-bmwg-mlrsearch). The two rates are a bracket, not a confidence interval.";

/**
 * Looks for the highest rate that meets an objective, in steps one after the other.
 *
 * A rate meets or misses by the majority of its steps. Looked at are the lowest rate that missed and
 * the highest one below it that met. A step by chance on the wrong side is found when its rate becomes
 * one of the two ends: each is tried until two steps agree.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a search that is none; what `tryRate` throws
 */
export async function findRate(search: RateSearch, tryRate: TryRate): Promise<FoundRate> {
  checkSearch(search);
  const { startPerSecond, precision } = search;
  const tried = new Map<number, Trials>();
  const late = new Map<number, number>();
  const conclude = (conclusion: FoundRate["conclusion"]): FoundRate => {
    const { met, missed } = bracketOf(tried);
    return {
      metPerSecond: met ?? null,
      missedPerSecond: missed ?? null,
      conclusion,
      precision,
      method,
    };
  };
  for (let step = 0; step < mostSteps; step += 1) {
    const rate = nextRate(tried, search);
    if (rate === undefined) return conclude("found");
    if (rate < startPerSecond * lowestPart) return conclude("nothing meets");
    const trials = tried.get(rate) ?? { met: 0, missed: 0 };
    const verdict = await tryRate(rate);
    if (verdict === "late") {
      // A pause of the client can pass; a client that is too slow stays so.
      late.set(rate, (late.get(rate) ?? 0) + 1);
      if (late.get(rate) === mostLateSteps) return conclude("client late");
      continue;
    }
    if (verdict === "interrupted") return conclude("interrupted");
    tried.set(rate, { ...trials, [verdict]: trials[verdict] + 1 });
  }
  return conclude("too many steps");
}

/** How often a rate met and missed. */
interface Trials {
  readonly met: number;
  readonly missed: number;
}

/** What to try next; undefined when the search is over. */
function nextRate(
  tried: ReadonlyMap<number, Trials>,
  { startPerSecond, precision }: RateSearch,
): number | undefined {
  for (const [rate, { met, missed }] of tried) if (met === missed) return rate;
  const { met, missed } = bracketOf(tried);
  if (met === undefined) return missed === undefined ? startPerSecond : rounded(missed / 2);
  if (missed === undefined) return rounded(met * 2);
  if (missed / met - 1 > precision) return rounded(Math.sqrt(met * missed));
  return [met, missed].find((rate) => !isAgreed(tried.get(rate)));
}

/** The lowest rate that missed, and the highest one below it that met. */
function bracketOf(tried: ReadonlyMap<number, Trials>): {
  readonly met: number | undefined;
  readonly missed: number | undefined;
} {
  const rates = [...tried].toSorted(([one], [other]) => one - other);
  const missed = rates.find(([, trials]) => trials.missed > trials.met)?.[0];
  const met = rates.findLast(
    ([rate, trials]) => trials.met > trials.missed && rate < (missed ?? Infinity),
  )?.[0];
  return { met, missed };
}

function isAgreed(trials: Trials | undefined): boolean {
  return trials !== undefined && Math.max(trials.met, trials.missed) >= agreeing;
}

/** Four digits are finer than any precision, and can be read. */
function rounded(rate: number): number {
  return Number(rate.toPrecision(4));
}

function checkSearch({ startPerSecond, precision }: RateSearch): void {
  if (!(startPerSecond > 0 && startPerSecond < Infinity)) {
    throw invalidOption(`The first rate is ${startPerSecond} per second; it must be above 0.`);
  }
  if (precision >= 0.01 && precision <= 1) return;
  throw invalidOption(`The precision is ${precision}; it must be from 0.01 to 1.`);
}
