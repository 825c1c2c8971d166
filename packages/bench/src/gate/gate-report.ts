import type { GateOutcome } from "./run-gate.js";
import { describeWork } from "./gate-work.js";
import type { GateVerdict } from "./verdict.js";

/** A finished gate, for `--json`. */
export interface GateReport {
  readonly schema: "streamgauge/gate";
  readonly version: 1;
  readonly base: { readonly name: string; readonly commit: string | null };
  readonly head: { readonly name: string; readonly commit: string | null };
  readonly outcome: GateOutcome;
}

/**
 * A version in words: its name with the commit, which is not said twice.
 *
 * @param safe makes text that came from outside harmless where it is shown
 */
export function describeVersion(
  { name, commit }: GateReport["base"],
  safe: (text: string) => string = (text) => text,
): string {
  const short = commit?.slice(0, 9);
  if (short === undefined) return safe(name);
  return name === commit ? safe(short) : `${safe(name)} (${safe(short)})`;
}

/** The columns of the table of metrics. */
export const gateColumns = [
  "metric",
  "base",
  "head",
  "tokens/s",
  "change",
  "95 % interval",
  "verdict",
] as const;

/** The table of metrics, a row each, as text. */
export function gateRows({ outcome }: GateReport): string[][] {
  return outcome.metrics.map((metric) => {
    const { baseMicroseconds, headMicroseconds, change, verdict } = metric;
    const perToken = metric.metric.endsWith("per token");
    const interval = change?.hodgesLehmann.interval95;
    return [
      metric.metric,
      microseconds(baseMicroseconds),
      microseconds(headMicroseconds),
      perToken ? `${rate(baseMicroseconds)} → ${rate(headMicroseconds)}` : "",
      change === null ? "–" : percent(change.hodgesLehmann.value),
      interval === undefined ? "–" : `${percent(interval.lower)} to ${percent(interval.upper)}`,
      gateVerdictWords[verdict],
    ];
  });
}

/** A verdict in a table. */
export const gateVerdictWords: Readonly<Record<GateVerdict, string>> = {
  none: "no regression",
  regression: "REGRESSION",
  inconclusive: "inconclusive",
};

/** The outcome in a sentence. */
export function gateHeadline({ outcome }: GateReport): string {
  const limit = `${(outcome.threshold * 100).toFixed(1)} %`;
  return {
    none: `No regression: no metric is slower by ${limit} or more.`,
    regression: `Regression: at least one metric is slower, and perhaps by ${limit} or more.`,
    inconclusive: `Inconclusive: this run cannot tell whether a metric is slower by ${limit}. Give it more --blocks, or a quieter machine.`,
  }[outcome.verdict];
}

/** How it was measured, and what to know about it, in sentences. */
export function gateNotes({ outcome }: GateReport): string[] {
  const { work, pairs, seed, seconds, metrics, slowdown } = outcome;
  const byProcess = metrics.some(({ level }) => level === "processes");
  return [
    `${metrics[0]?.blocks ?? 0} blocks in ${pairs} pairs of processes on ${describeWork(work)}, ` +
      `${seconds.toFixed(0)} s, seed ${seed}. Times in µs.`,
    ...(byProcess ? ["Where processes differ, their means are the samples."] : []),
    ...(slowdown > 0
      ? [`generateStreamAsync of head was slowed by ${(slowdown * 100).toFixed(1)} % on purpose.`]
      : []),
    ...(outcome.outputsDiffer
      ? [
          "The versions made different tokens from the same prompt and seed: their work may differ too.",
        ]
      : []),
    ...(outcome.interrupted ? ["It was interrupted: this is what was done until then."] : []),
  ];
}

function microseconds(value: number | null): string {
  return value === null ? "–" : value.toFixed(value < 10 ? 2 : 1);
}

function rate(microsecondsPerToken: number | null): string {
  return microsecondsPerToken === null ? "–" : (1e6 / microsecondsPerToken).toFixed(0);
}

function percent(fraction: number): string {
  const text = (Math.abs(fraction) * 100).toFixed(1);
  return `${text === "0.0" ? "" : fraction < 0 ? "−" : "+"}${text} %`;
}
