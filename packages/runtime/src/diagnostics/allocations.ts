import type { HeapProfiler } from "node:inspector";
import { inspect } from "./inspect.js";

/**
 * Bytes between two samples, on average. Each takes some 2.5 µs and, in the
 * report, 40 bytes. V8's default of 32,768 would leave a function that allocates
 * a megabyte with 32 samples, an error of about a sixth; this leaves it 256, a
 * sixteenth.
 */
const samplingIntervalBytes = 4096;

/**
 * Samples what the calling thread allocates on V8's heap, until it is stopped:
 * also what is garbage by then, which is nearly all of what a stream allocates.
 * Memory outside of the heap (buffers, the model) is not in it.
 *
 * V8 keeps every sample until the end: a gigabyte of garbage makes a report of
 * some ten megabytes. Stopping is not the end of the cost: a generation right
 * after it was slowed by more than the sampled one, so run one for nothing
 * before measuring speed on this thread.
 *
 * @returns what ends it and gives the profile; `selfSize` are estimated bytes
 */
export function startAllocations(): Promise<() => Promise<HeapProfiler.SamplingHeapProfile>> {
  return inspect(
    (session) =>
      session.post("HeapProfiler.startSampling", {
        samplingInterval: samplingIntervalBytes,
        // Without these a sample is dropped when its object is collected.
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: true,
      }),
    async (session) => (await session.post("HeapProfiler.stopSampling")).profile,
  );
}
