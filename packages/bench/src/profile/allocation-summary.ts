import type { ThreadReports } from "@streamgauge/runtime/diagnostics";
import type { AllocationFindings, PeakMemory } from "../record/index.js";
import { attributionOf, nameOf, type Attribution, type CallFrame } from "./code-category.js";
import type { ThreadReport } from "./thread-report.js";
import { groupBy } from "./group-by.js";

/** What V8 sampled of one thread. It lists its samples too, which the types of Node 20 leave out. */
export type SamplingHeapProfile = ThreadReports["allocations"] & {
  readonly samples?: readonly { readonly size: number; readonly nodeId: number }[];
};

/** A function of such a profile, as it was called on one way; with its id, like the samples. */
export type SamplingHeapNode = ThreadReports["allocations"]["head"] & { readonly id?: number };

/** Places that are kept over all threads. */
const mostPlaces = 15;

/**
 * Bytes and objects of each thread, over all profiles of the thread, and where
 * most bytes were allocated. The profiler's own are left out.
 *
 * @param tokens made while the profiles were taken, all together
 */
export function summarizeAllocations(
  reports: readonly ThreadReport<"allocations">[],
  tokens: number,
  peakMemory: PeakMemory,
): AllocationFindings {
  const threads = [...groupBy(reports, ({ thread }) => thread)].map(([thread, own]) => ({
    thread,
    places: own.flatMap(({ report }) => allocationsOf(report)),
  }));
  return {
    kind: "allocations",
    threads: threads.map(({ thread, places }) => ({
      thread,
      bytesPerToken: sum(places, ({ bytes }) => bytes) / tokens,
      objectsPerToken: sum(places, ({ objects }) => objects) / tokens,
    })),
    largest: threads
      .flatMap(({ thread, places }) =>
        [...groupBy(places, ({ category, name }) => `${category} ${name}`).values()].map((own) => {
          const { category, name } = own[0] as Allocations;
          return { thread, category, name, bytesPerToken: sum(own, ({ bytes }) => bytes) / tokens };
        }),
      )
      .toSorted((first, second) => second.bytesPerToken - first.bytesPerToken)
      .slice(0, mostPlaces),
    peakMemory,
  };
}

/** Bytes that a thread allocated while it was sampled, without the profiler's own. */
export function allocatedBytes(profile: SamplingHeapProfile): number {
  return sum(allocationsOf(profile), ({ bytes }) => bytes);
}

interface Allocations {
  readonly category: Exclude<Attribution, "asleep" | "instrument">;
  readonly name: string;
  readonly bytes: number;
  readonly objects: number;
}

/** What each call path of one profile allocated by itself. */
function allocationsOf(profile: SamplingHeapProfile): Allocations[] {
  const samplesByNode = groupBy(profile.samples ?? [], ({ nodeId }): number | undefined => nodeId);
  const interval = samplingInterval(profile);
  const found: Allocations[] = [];
  const visit = (
    { id, callFrame, selfSize, children }: SamplingHeapNode,
    caller: CallFrame | undefined,
    above: Attribution,
  ): void => {
    const attribution = attributionOf(callFrame, above);
    if (selfSize > 0 && attribution !== "asleep" && attribution !== "instrument") {
      const samples = samplesByNode.get(id)?.length ?? 1;
      found.push({
        category: attribution,
        name: nameOf(callFrame, caller),
        bytes: selfSize,
        objects: selfSize / objectSize(selfSize / samples, interval),
      });
    }
    const next = callFrame.url === "" ? caller : callFrame;
    for (const child of children) visit(child, next, attribution);
  };
  visit(profile.head, undefined, "other");
  return found;
}

/**
 * A profile does not say how many objects its samples stand for. V8 counts a
 * sampled object of `s` bytes as s / (1 − e^(−s/interval)) bytes, its size over
 * the probability that it was sampled; this solves that for `s`.
 *
 * A place that allocates objects of several sizes is sampled mostly at the large
 * ones, and so counted as fewer.
 *
 * @param bytesPerSample mean of a call path, which mostly allocates one kind of object
 */
export function objectSize(bytesPerSample: number, interval: number): number {
  // Objects take 16 bytes at least; a mean of rounded counts can claim less.
  let [low, high] = [smallestObject, Math.max(smallestObject, bytesPerSample)];
  for (let step = 0; step < 60; step += 1) {
    const size = (low + high) / 2;
    if (size / -Math.expm1(-size / interval) < bytesPerSample) low = size;
    else high = size;
  }
  return low;
}

const smallestObject = 16;

/**
 * Profiles do not name their interval either: no sample stands for less than
 * it, and one of a small object for hardly more. Intervals are powers of two.
 */
function samplingInterval({ samples = [] }: SamplingHeapProfile): number {
  const smallest = samples.reduce((least, { size }) => Math.min(least, size), Infinity);
  return smallest === Infinity ? 1 : 2 ** Math.floor(Math.log2(smallest));
}

function sum<Value>(values: readonly Value[], of: (value: Value) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}
