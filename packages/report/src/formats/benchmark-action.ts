import type { Estimate, ResultRecord } from "@streamgauge/bench/record";
import { json } from "./exported-file.js";
import { measuredModes, modeKeys, type MeasuredMode } from "./measured-modes.js";

/** An entry of github-action-benchmark's `customSmallerIsBetter` and `customBiggerIsBetter`. */
interface Entry {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly range?: string;
  readonly extra?: string;
}

/**
 * What is better when it is smaller, for the tool `customSmallerIsBetter`. The
 * action alerts on the ratio of two values alone, so the overhead is there as the
 * time relative to `generate` (1.05 for 5 %): a ratio of overheads near zero says nothing.
 */
export function renderSmallerIsBetter(record: ResultRecord): string {
  return json(
    measuredModes(record).flatMap((mode): Entry[] => {
      const { summary, comparison, distributions } = mode;
      return [
        entry(mode, "end-to-end latency, median", "ms", summary.endToEndNanoseconds / 1e6),
        ...(summary.timePerOutputTokenNanoseconds === null
          ? []
          : [
              entry(
                mode,
                "time per output token, median",
                "µs",
                summary.timePerOutputTokenNanoseconds / 1e3,
              ),
            ]),
        entry(mode, "CPU time per token", "µs", summary.cpuMicrosecondsPerToken),
        ...distributions.flatMap(({ metric, p50Nanoseconds, p99Nanoseconds }) => [
          entry(mode, `${metric}, p50`, "µs", p50Nanoseconds / 1e3),
          entry(mode, `${metric}, p99`, "µs", p99Nanoseconds / 1e3),
        ]),
        ...(comparison === undefined
          ? []
          : [
              {
                ...entry(
                  mode,
                  "time relative to generate",
                  "×",
                  1 + comparison.overhead.hodgesLehmann.value,
                ),
                range: rangeOf(comparison.overhead.hodgesLehmann),
                extra: `Hodges–Lehmann, 95 % interval, ${comparison.blocks} blocks`,
              },
            ]),
      ];
    }),
  );
}

/** What is better when it is bigger, for the tool `customBiggerIsBetter`. */
export function renderBiggerIsBetter(record: ResultRecord): string {
  return json(
    measuredModes(record).map((mode) =>
      entry(mode, "output throughput, median", "tokens/s", mode.summary.throughputTokensPerSecond),
    ),
  );
}

function entry(
  { cell, treatment }: MeasuredMode,
  what: string,
  unit: string,
  value: number,
): Entry {
  return { name: `${cell.id}/${modeKeys[treatment]}: ${what}`, unit, value };
}

function rangeOf({ interval95: { lower, upper } }: Estimate): string {
  return `${(1 + lower).toFixed(4)} to ${(1 + upper).toFixed(4)}`;
}
