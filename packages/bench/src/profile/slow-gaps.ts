import type { SlowGap } from "../record/index.js";
import { median } from "../statistics/index.js";
import type { ThreadReport } from "./thread-report.js";
import { groupBy } from "./group-by.js";

/** What is known of one generation whose tokens were delivered. */
export interface ObservedTokens {
  /** On the calling thread's clock. */
  readonly deliveredMilliseconds: Float64Array;
  /** On the same clock; NaN where the generator does not say. */
  readonly producedMilliseconds: Float64Array;
  readonly timelines: readonly ThreadReport<"timeline">[];
}

/** Gaps that are kept. */
const mostGaps = 10;

/** What explains less of what a gap took too long than this is no cause. */
const leastShare = 0.5;

/** The slowest gaps between two delivered tokens of all generations, and why they were slow. */
export function findSlowestGaps(generations: readonly ObservedTokens[]): SlowGap[] {
  const gaps = generations.flatMap((tokens, generation) =>
    gapsOf(tokens).map((gap) => ({ ...gap, tokens, generation })),
  );
  if (gaps.length === 0) return [];
  const typical = median(gaps.map(({ milliseconds }) => milliseconds));
  return gaps
    .toSorted((first, second) => second.milliseconds - first.milliseconds)
    .slice(0, mostGaps)
    .map(({ tokens, generation, tokenIndex, milliseconds }) => ({
      generation,
      tokenIndex,
      gapNanoseconds: Math.round(milliseconds * 1e6),
      quantile: gaps.filter((gap) => gap.milliseconds < milliseconds).length / gaps.length,
      cause: causeOf(tokens, tokenIndex, milliseconds - typical),
    }));
}

function gapsOf({ deliveredMilliseconds: delivered }: ObservedTokens) {
  return Array.from(delivered.subarray(1), (now, index) => ({
    tokenIndex: index + 1,
    milliseconds: now - (delivered[index] as number),
  }));
}

/**
 * Garbage collection first, wherever it was: a late step or a late delivery can
 * be its effect. Then the producer, if the token was made late. What is left was
 * lost on the way, where a blocked event loop of the consumer is the usual cause.
 *
 * @param excess what the gap took longer than a typical one
 */
function causeOf(tokens: ObservedTokens, index: number, excess: number): string | null {
  const from = tokens.deliveredMilliseconds[index - 1] as number;
  const to = tokens.deliveredMilliseconds[index] as number;
  const explains = (milliseconds: number): boolean =>
    excess > 0 && milliseconds >= leastShare * excess;

  const collection = longest(collections(tokens.timelines, from, to));
  if (collection !== undefined && explains(collection.milliseconds)) return show(collection);

  const produced = tokens.producedMilliseconds;
  const step = (produced[index] as number) - (produced[index - 1] as number);
  const waited = to - (produced[index] as number);
  const usualStep = medianStep(produced);
  if (explains(step - usualStep)) return `made late: a step of ${duration(step)}`;

  const loop = longest(eventLoopDelays(tokens.timelines, from, to));
  if (loop !== undefined && explains(loop.milliseconds)) return show(loop);
  return explains(waited) ? `delivered late: ${duration(waited)} after it was made` : null;
}

/** NaN, with which nothing compares, where production is unknown. */
function medianStep(produced: Float64Array): number {
  const steps = Array.from(
    produced.subarray(1),
    (now, index) => now - (produced[index] as number),
  ).filter((step) => !Number.isNaN(step));
  return steps.length === 0 ? Number.NaN : median(steps);
}

/** Something that went on during a gap, all occurrences of its kind on its thread together. */
interface Overlap {
  readonly what: string;
  readonly thread: string;
  readonly milliseconds: number;
}

function collections(timelines: ObservedTokens["timelines"], from: number, to: number): Overlap[] {
  return timelines.flatMap(({ thread, clockOffsetMilliseconds, report }) =>
    [...groupBy(report.garbageCollections, ({ kind }) => kind)].map(([kind, events]) => ({
      what: kind === "weakCallbacks" ? "weak callbacks of GC" : `${kind} GC`,
      thread,
      milliseconds: overlapOf(events, clockOffsetMilliseconds, from, to),
    })),
  );
}

/**
 * The consumer's only: a producer's event loop is late by design, because a step
 * of the model blocks it.
 */
function eventLoopDelays(
  timelines: ObservedTokens["timelines"],
  from: number,
  to: number,
): Overlap[] {
  return timelines
    .filter(({ thread }) => thread === "main")
    .map(({ thread, clockOffsetMilliseconds, report }) => ({
      what: "event loop delay",
      thread,
      milliseconds: overlapOf(report.eventLoopDelays, clockOffsetMilliseconds, from, to),
    }));
}

function overlapOf(
  events: readonly { readonly startMilliseconds: number; readonly durationMilliseconds: number }[],
  offset: number,
  from: number,
  to: number,
): number {
  return events.reduce((sum, { startMilliseconds, durationMilliseconds }) => {
    const start = startMilliseconds + offset;
    return sum + Math.max(0, Math.min(to, start + durationMilliseconds) - Math.max(from, start));
  }, 0);
}

function longest(overlaps: readonly Overlap[]): Overlap | undefined {
  return overlaps.toSorted((first, second) => second.milliseconds - first.milliseconds)[0];
}

function show({ what, thread, milliseconds }: Overlap): string {
  return `${what} ${duration(milliseconds)} on ${thread}`;
}

function duration(milliseconds: number): string {
  return `${milliseconds.toFixed(milliseconds < 1 ? 2 : 1)} ms`;
}
