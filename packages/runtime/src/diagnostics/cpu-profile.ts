import type { Profiler } from "node:inspector";
import { inspect } from "./inspect.js";

/**
 * Five samples in a millisecond show which part of a token's way takes its
 * time; V8's default of one is too coarse for that.
 */
const samplingIntervalMicroseconds = 200;

/**
 * Samples the calling thread's JavaScript stack. A native call, such as a step
 * of onnxruntime, counts for the function that made it.
 *
 * @returns what ends it and gives the profile
 */
export function startCpuProfile(): Promise<() => Promise<Profiler.Profile>> {
  return inspect(
    async (session) => {
      const interval = samplingIntervalMicroseconds;
      await session.post("Profiler.enable");
      await session.post("Profiler.setSamplingInterval", { interval });
      // A major collection that begins inside of `Profiler.start` waits forever for a
      // lock that its own thread holds (nodejs/node#65140): have none due then.
      await session.post("HeapProfiler.collectGarbage");
      await session.post("Profiler.start");
    },
    async (session) => (await session.post("Profiler.stop")).profile,
  );
}
