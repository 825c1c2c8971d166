import { LatencyHistogram } from "../measure/latency-histogram.js";
import type { LatencySummary } from "../record/index.js";

/** The distribution of latencies in nanoseconds, of which there is at least one. */
export function summarizeLatencies(nanoseconds: readonly number[]): LatencySummary {
  const histogram = new LatencyHistogram();
  for (const latency of nanoseconds) histogram.add(latency);
  return histogram.summarize();
}
