import type { Estimate, ResultRecord } from "@streamgauge/bench/record";
import { json } from "./exported-file.js";
import { measuredModes, modeKeys } from "./measured-modes.js";

/** A metric of the Bencher Metric Format. */
interface BencherMetric {
  readonly value: number;
  readonly lower_value?: number;
  readonly upper_value?: number;
}

/**
 * Bencher Metric Format: a benchmark for each mode of each cell. `latency` (ns) and
 * `throughput` (tokens/s) are medians over blocks and Bencher's own measures;
 * `relative-time` (time / time of `generate`) and `cost-per-token` (µs) are
 * Hodges–Lehmann estimates, and their 95 % intervals are the bounds.
 */
export function renderBencherMetrics(record: ResultRecord): string {
  return json(
    Object.fromEntries(
      measuredModes(record).map(({ cell, treatment, summary, comparison }) => {
        const measures: Record<string, BencherMetric> = {
          latency: { value: summary.endToEndNanoseconds },
          throughput: { value: summary.throughputTokensPerSecond },
          ...(summary.timePerOutputTokenNanoseconds !== null && {
            "time-per-output-token": { value: summary.timePerOutputTokenNanoseconds },
          }),
          ...(comparison && {
            "relative-time": withBounds(comparison.overhead.hodgesLehmann, 1),
            "cost-per-token": withBounds(comparison.costMicrosecondsPerToken.hodgesLehmann, 0),
          }),
        };
        return [`${cell.id}/${modeKeys[treatment]}`, measures];
      }),
    ),
  );
}

function withBounds(
  { value, interval95: { lower, upper } }: Estimate,
  from: number,
): BencherMetric {
  return { value: from + value, lower_value: from + lower, upper_value: from + upper };
}
