import type { TeeWay } from "../record/tee.js";
import { median } from "../statistics/index.js";
import { estimateDifferencePerToken } from "./paired-blocks.js";

/** A way before anything is concluded from its blocks. */
export type TeeSamples = Pick<
  TeeWay,
  "way" | "cpuMicroseconds" | "durationNanoseconds" | "deliveryLatency"
>;

/**
 * Concludes everything that follows from the blocks of ways to split a stream.
 *
 * @param tokens of each run
 * @throws RangeError where one reader is not among them
 */
export function concludeTee(ways: readonly TeeSamples[], tokens: number): TeeWay[] {
  const single = ways.find(({ way }) => way === "one reader");
  if (single === undefined) throw new RangeError("There are no runs with one reader.");
  return ways.map(({ way, cpuMicroseconds, durationNanoseconds, deliveryLatency }) => ({
    way,
    cpuMicroseconds,
    durationNanoseconds,
    cpuMicrosecondsPerToken: median(cpuMicroseconds) / tokens,
    throughputTokensPerSecond: tokens / (median(durationNanoseconds) / 1e9),
    addedCpuMicrosecondsPerToken:
      way === "one reader"
        ? null
        : estimateDifferencePerToken(cpuMicroseconds, single.cpuMicroseconds, tokens),
    deliveryLatency,
  }));
}
