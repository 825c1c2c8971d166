import { createHash } from "node:crypto";
import { invalidOption } from "@streamgauge/core";
import type { RateSchedule, RateStage, RecordedTrace, Schedule } from "../record/index.js";
import { poissonArrivals } from "../scenarios/poisson-arrivals.js";
import { derivedSeed, largestSeed } from "./derived-seed.js";

/** A request that is due. */
export interface Arrival {
  /** From 0, over all stages of the schedule. */
  readonly index: number;
  /** The stage that it is due in. */
  readonly stage: number;
  /** After the beginning of the schedule. */
  readonly dueNanoseconds: number;
}

/** A share of a schedule: a pure value, from which everything that a shard does follows. */
export interface Shard {
  readonly schedule: Schedule;
  /** From 0 to `of` − 1. */
  readonly shard: number;
  /** Shards over which the arrivals are shared out. */
  readonly of: number;
  /** Beginning of the schedule, in nanoseconds on the clock of whoever runs the shard. */
  readonly startAtNanoseconds: number;
}

/** More would not fit into memory as samples. */
const mostArrivals = 10_000_000;

/**
 * All arrivals of a schedule, in their order.
 *
 * In each stage a process of rate 1 is stretched by the inverse of the expected number of arrivals
 * so far, Λ(t) = from·t + (to − from)·t²/(2·seconds): for `poisson` one with exponential gaps,
 * which gives the Poisson process of that rate; for `constant` 0, 1, 2, … Each stage draws anew.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a schedule that is none
 */
export function* arrivalsOf(schedule: Schedule): Generator<Arrival, void, undefined> {
  checkSchedule(schedule);
  if (schedule.kind === "trace") {
    for (const [index, dueNanoseconds] of schedule.dueNanoseconds.entries()) {
      yield { index, stage: 0, dueNanoseconds };
    }
    return;
  }
  let index = 0;
  let beginSeconds = 0;
  for (const [number, stage] of schedule.stages.entries()) {
    for (const expected of unitProcess(schedule, number)) {
      if (expected >= expectedArrivals(stage) - rounding) break;
      const seconds = beginSeconds + timeOf(expected, stage);
      yield { index, stage: number, dueNanoseconds: Math.round(seconds * 1e9) };
      index += 1;
    }
    beginSeconds += stage.seconds;
  }
}

/** How many arrivals a schedule has. @throws StreamgaugeError `INVALID_OPTION` as {@link arrivalsOf} */
export function countArrivals(schedule: Schedule): number {
  let count = 0;
  for (const _arrival of arrivalsOf(schedule)) count += 1;
  return count;
}

/**
 * The arrivals of a shard: those whose index is `shard` modulo `of`.
 *
 * @throws StreamgaugeError `INVALID_OPTION` as {@link arrivalsOf}, and for a shard that is not there
 */
export function* shardArrivals({
  schedule,
  shard,
  of,
}: Omit<Shard, "startAtNanoseconds">): Generator<Arrival, void, undefined> {
  if (!Number.isInteger(of) || of < 1 || !Number.isInteger(shard) || shard < 0 || shard >= of) {
    throw invalidOption(
      `There is no shard ${shard} of ${of}: shards are counted from 0, and there is at least one.`,
    );
  }
  for (const arrival of arrivalsOf(schedule)) if (arrival.index % of === shard) yield arrival;
}

/** Length of each stage of a schedule; a trace has one, up to its last arrival. */
export function stageSeconds(schedule: Schedule): readonly number[] {
  if (schedule.kind === "rate") return schedule.stages.map(({ seconds }) => seconds);
  const last = schedule.dueNanoseconds.at(-1) ?? 0;
  // One request, or several at once, have no length: a second keeps rates finite.
  return [last === 0 ? 1 : last / 1e9];
}

/** What a record keeps of a schedule. */
export function recordSchedule(schedule: Schedule): RateSchedule | RecordedTrace {
  if (schedule.kind === "rate") return schedule;
  const { seed, dueNanoseconds } = schedule;
  return {
    kind: "trace",
    seed,
    arrivals: dueNanoseconds.length,
    sha256: createHash("sha256").update(JSON.stringify(dueNanoseconds)).digest("hex"),
  };
}

/** A schedule of one stage with one rate. */
export function constantRate(
  perSecond: number,
  { seconds, ...others }: Pick<RateSchedule, "seed" | "arrivals"> & Pick<RateStage, "seconds">,
): RateSchedule {
  const stage = { fromPerSecond: perSecond, toPerSecond: perSecond, seconds };
  return { kind: "rate", ...others, stages: [stage] };
}

/** A schedule in a few words. */
export function describeSchedule(schedule: RateSchedule | RecordedTrace | Schedule): string {
  if (schedule.kind === "trace") return "trace";
  const [first] = schedule.stages;
  if (first === undefined) return "nothing";
  const ends = schedule.stages.map(({ toPerSecond }) => toPerSecond);
  const isOneRate = schedule.stages.length === 1 && first.fromPerSecond === first.toPerSecond;
  return isOneRate
    ? `${first.fromPerSecond} per second`
    : `${[first.fromPerSecond, ...ends].join(" to ")} per second`;
}

/** Its mean rate × its length. */
function expectedArrivals({ fromPerSecond, toPerSecond, seconds }: RateStage): number {
  return ((fromPerSecond + toPerSecond) / 2) * seconds;
}

/** 30 s × 0.1 per second are not always exactly 3. */
const rounding = 1e-9;

/** Arrivals at a rate of 1. Even distances begin with one, a Poisson process with a gap. */
function* unitProcess(
  { seed, arrivals }: RateSchedule,
  stage: number,
): Generator<number, void, undefined> {
  if (arrivals === "constant") {
    for (let expected = 0; ; expected += 1) yield expected;
  }
  for (const nanoseconds of poissonArrivals(derivedSeed(seed, "arrivals", stage), 1)) {
    yield nanoseconds / 1e9;
  }
}

/** Λ⁻¹, in a form that needs no case for a rate that stays. */
function timeOf(
  expected: number,
  { fromPerSecond: from, toPerSecond: to, seconds }: RateStage,
): number {
  if (expected === 0) return 0;
  const growth = (to - from) / seconds;
  return (2 * expected) / (from + Math.sqrt(Math.max(0, from * from + 2 * growth * expected)));
}

function checkSchedule(schedule: Schedule): void {
  if (!Number.isInteger(schedule.seed) || schedule.seed < 0 || schedule.seed > largestSeed) {
    throw invalidOption(
      `The seed of the schedule is ${schedule.seed}; it must be an integer from 0 to ${largestSeed}.`,
    );
  }
  if (schedule.kind === "trace") return checkTrace(schedule.dueNanoseconds);
  if (schedule.stages.length === 0) throw invalidOption("The schedule has no stage: give one.");
  for (const { fromPerSecond, toPerSecond, seconds } of schedule.stages) {
    for (const rate of [fromPerSecond, toPerSecond]) {
      if (rate >= 0 && rate < Infinity) continue;
      throw invalidOption(`A rate of the schedule is ${rate} per second; it must be a number ≥ 0.`);
    }
    if (!(seconds > 0 && seconds < Infinity)) {
      throw invalidOption(
        `A stage of the schedule has ${seconds} seconds; it must be a number above 0.`,
      );
    }
  }
  requireArrivals(schedule.stages.reduce((sum, stage) => sum + expectedArrivals(stage), 0));
}

function checkTrace(dueNanoseconds: readonly number[]): void {
  requireArrivals(dueNanoseconds.length);
  let last = 0;
  for (const [index, due] of dueNanoseconds.entries()) {
    if (!Number.isSafeInteger(due) || due < last) {
      throw invalidOption(
        `Arrival ${index} of the trace is due after ${due} ns; it must be an integer, and not ` +
          `before the one before it.`,
      );
    }
    last = due;
  }
}

function requireArrivals(count: number): void {
  if (!(count > 0)) {
    throw invalidOption("The schedule has no arrivals: give a rate above 0, or a longer one.");
  }
  if (count <= mostArrivals) return;
  throw invalidOption(
    `The schedule has about ${Math.round(count)} arrivals, and ${mostArrivals} are the most: ` +
      `lower its rates, or make it shorter.`,
  );
}
