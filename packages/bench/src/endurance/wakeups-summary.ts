import type { Estimate } from "../record/index.js";
import { drawTable, terminalText } from "../terminal/terminal-text.js";
import type { RingWakeUps, WakeUpReport } from "./wakeups.js";

/** What does not hold of what the default ring promises, in sentences. */
export function brokenPromises({ loads }: WakeUpReport): string[] {
  return loads.flatMap(({ load, blocks, rings }) =>
    rings
      .filter(({ maxDelayMilliseconds }) => maxDelayMilliseconds > 0)
      .flatMap((ring) => {
        const { maxDelayMilliseconds: delay, deliveryLatency, blocksAboveAllowance } = ring;
        const [p50, p99] = [deliveryLatency.p50Nanoseconds, deliveryLatency.p99Nanoseconds];
        return [
          p50 > (delay / 2 + 0.5) * 1e6 && `${load}: p50 is ${milliseconds(p50)}.`,
          p99 > (delay + 2) * 1e6 && `${load}: p99 is ${milliseconds(p99)}.`,
          blocksAboveAllowance * 10 > blocks &&
            `${load}: too many wake-ups in ${blocksAboveAllowance} of ${blocks} blocks.`,
        ].filter((sentence) => sentence !== false);
      }),
  );
}

/** A row for each ring and load, what the default changes, and what does not hold. */
export function renderWakeUps(
  report: WakeUpReport,
  { unicode }: { readonly unicode: boolean },
): string {
  const head = ["load", "ring", "wake-ups/s", "p50", "p99", "TTFT", "CPU, thread", "CPU, process"];
  const rows = report.loads.flatMap(({ load, rings }) =>
    rings.map(({ ring, medians, deliveryLatency }) => [
      load,
      ring,
      show(medians.wakeUpsPerSecond, 0),
      milliseconds(deliveryLatency.p50Nanoseconds),
      milliseconds(deliveryLatency.p99Nanoseconds),
      `${show(medians.timeToFirstTokenMilliseconds, 2)} ms`,
      show(medians.threadMicrosecondsPerToken, 1),
      show(medians.processMicrosecondsPerToken, 1),
    ]),
  );
  const changes = report.loads.flatMap(({ load, rings }) =>
    rings
      .filter(({ differences }) => Object.keys(differences).length > 0)
      .map(({ ring, differences }: RingWakeUps) => [
        load,
        ring,
        interval(differences.latencyMilliseconds, 2),
        interval(differences.timeToFirstTokenMilliseconds, 2),
        interval(differences.threadMicrosecondsPerToken, 1),
        interval(differences.processMicrosecondsPerToken, 1),
      ]),
  );
  const broken = brokenPromises(report);
  const text = [
    drawTable(head, rows, { unicode }),
    "CPU in microseconds per token; medians over blocks, latencies over all tokens.",
    drawTable(
      ["load", "ring", "latency, ms", "TTFT, ms", "CPU, thread, µs", "CPU, process, µs"],
      changes,
      { unicode },
    ),
    "Differences from the ring that wakes for each token, with 95 % intervals.",
    `${report.interrupted ? "Interrupted. " : ""}Seed ${report.seed}. ` +
      (broken.length === 0 ? "All that is promised holds." : broken.join(" ")),
  ].join("\n\n");
  return `${terminalText(text, { unicode })}\n`;
}

function show(value: number | undefined, digits: number): string {
  return value === undefined ? "-" : value.toFixed(digits);
}

function milliseconds(nanoseconds: number): string {
  return `${(nanoseconds / 1e6).toFixed(2)} ms`;
}

function interval(estimate: Estimate | undefined, digits: number): string {
  if (estimate === undefined) return "-";
  const { value, interval95 } = estimate;
  const [lower, upper] = [interval95.lower, interval95.upper].map((end) => end.toFixed(digits));
  return `${value.toFixed(digits)} [${lower}, ${upper}]`;
}
