import { randomInt } from "node:crypto";
import { invalidOption } from "@streamgauge/core";
import type { Objective, RateSchedule, Schedule } from "../record/index.js";
import { largestSeed } from "./derived-seed.js";
import { defaultPrecision, type RateSearch } from "./find-rate.js";
import { checkObjective } from "./objective.js";
import type { RequestMix } from "./request-mix.js";
import { arrivalsOf, constantRate } from "./schedule.js";

/** What is offered. */
export type Offer =
  /** Each rate for so long, one after the other, each when the requests before it have ended. */
  | { readonly kind: "rates"; readonly perSecond: readonly number[]; readonly seconds: number }
  /** The rate goes evenly from one value to the next, each leg so long, without a pause. */
  | { readonly kind: "ramp"; readonly perSecond: readonly number[]; readonly seconds: number }
  /** When the requests of a trace are due, after its beginning and in order. */
  | { readonly kind: "trace"; readonly dueNanoseconds: readonly number[] }
  /** Steps of at least so long, until the highest rate is found that meets the objective. */
  | {
      readonly kind: "find";
      readonly startPerSecond: number;
      readonly seconds: number;
      readonly precision?: number | undefined;
    };

/** What of a load does not depend on what is asked. Plain data. */
export interface LoadPlan {
  readonly offer: Offer;
  /** Of Poisson or even arrivals; a trace has its own. */
  readonly arrivals: RateSchedule["arrivals"];
  readonly seed: number;
  readonly mix: RequestMix;
  readonly objective: Objective | null;
  readonly maxConcurrency: number | null;
  readonly timeoutSeconds: number;
}

/** What {@link planLoad} takes: all but the offer and the mix can be left out. */
export type LoadPlanOptions = Pick<LoadPlan, "offer" | "mix"> & {
  readonly [Field in Exclude<keyof LoadPlan, "offer" | "mix">]?: LoadPlan[Field] | undefined;
};

/** Long enough for any answer, and short enough to end what hangs. */
export const defaultTimeoutSeconds = 300;

/** Node fires a timer of 25 days at once. */
const longestTimeoutSeconds = 2_000_000;

/** A request that is sent later than this after its due moment is late: no timer takes as long. */
export const lateAfterNanoseconds = 10e6;

/** Share of late requests from which on a miss is the client's. */
export const lateShare = 0.01;

/** Of a step that looks for a rate, so that one bad request decides nothing. */
const fewestRequests = 100;

/**
 * Fills in the defaults and checks all that can be checked without asking anything.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function planLoad(options: LoadPlanOptions): LoadPlan {
  const plan: LoadPlan = {
    offer: options.offer,
    mix: options.mix,
    arrivals: options.arrivals ?? "poisson",
    seed: options.seed ?? randomInt(2 ** 31),
    objective: options.objective ?? null,
    maxConcurrency: options.maxConcurrency ?? null,
    timeoutSeconds: options.timeoutSeconds ?? defaultTimeoutSeconds,
  };
  const { offer, seed, objective, maxConcurrency, timeoutSeconds } = plan;
  if (!Number.isInteger(seed) || seed < 0 || seed > largestSeed) {
    throw invalidOption(`The seed is ${seed}; it must be an integer from 0 to ${largestSeed}.`);
  }
  if (maxConcurrency !== null && !(Number.isInteger(maxConcurrency) && maxConcurrency >= 1)) {
    throw invalidOption(
      `The most requests in flight are ${maxConcurrency}; it must be an integer ≥ 1.`,
    );
  }
  if (!(timeoutSeconds > 0 && timeoutSeconds <= longestTimeoutSeconds)) {
    throw invalidOption(
      `The timeout is ${timeoutSeconds} s; it must be above 0 and at most ${longestTimeoutSeconds} s.`,
    );
  }
  if (objective !== null) checkObjective(objective);
  if (offer.kind === "find" && objective === null) {
    throw invalidOption("A rate is found by an objective: give limits, as ttft=500ms.");
  }
  // Its first arrival shows what is wrong with a schedule.
  for (const schedule of schedulesOf(plan)) arrivalsOf(schedule).next();
  return plan;
}

/** The schedules of a plan, one for each step; of a search the first. */
export function schedulesOf(plan: LoadPlan): readonly Schedule[] {
  const { offer, seed, arrivals } = plan;
  switch (offer.kind) {
    case "rates":
      if (offer.perSecond.length === 0) throw invalidOption("There is no rate: give at least one.");
      return offer.perSecond.map((perSecond, step) =>
        constantRate(perSecond, { arrivals, seed: stepSeed(seed, step), seconds: offer.seconds }),
      );
    case "ramp": {
      const [, ...ends] = offer.perSecond;
      if (ends.length === 0) throw invalidOption("A ramp needs two rates or more, as 10,100.");
      const stages = ends.map((toPerSecond, leg) => ({
        fromPerSecond: offer.perSecond[leg] ?? 0,
        toPerSecond,
        seconds: offer.seconds,
      }));
      return [{ kind: "rate", seed, arrivals, stages }];
    }
    case "trace":
      return [{ kind: "trace", seed, dueNanoseconds: offer.dueNanoseconds }];
    case "find":
      return [searchSchedule(plan, offer, { perSecond: offer.startPerSecond, step: 0 })];
    default:
      return offer satisfies never;
  }
}

/** The schedule of a step of a search: as long as asked, or longer where that is too few requests. */
export function searchSchedule(
  { seed, arrivals }: Pick<LoadPlan, "seed" | "arrivals">,
  { seconds }: Extract<Offer, { readonly kind: "find" }>,
  { perSecond, step }: { readonly perSecond: number; readonly step: number },
): RateSchedule {
  return constantRate(perSecond, {
    arrivals,
    seed: stepSeed(seed, step),
    seconds: perSecond > 0 ? Math.max(seconds, fewestRequests / perSecond) : seconds,
  });
}

/** The search of an offer. */
export function searchOf(offer: Extract<Offer, { readonly kind: "find" }>): RateSearch {
  const { startPerSecond, precision = defaultPrecision } = offer;
  return { startPerSecond, precision };
}

/** The seed of the schedule of a step, counted from 0: nobody can choose among several. */
export function stepSeed(seed: number, step: number): number {
  return (seed + step) % (largestSeed + 1);
}
