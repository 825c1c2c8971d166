import type { Interval } from "../record/index.js";
import { binomialInterval95 } from "../statistics/index.js";
import { drawTable, terminalText } from "../terminal/terminal-text.js";
import { gateMetrics } from "./gate-work.js";
import type { GateMetricResult, GateOutcome } from "./run-gate.js";
import type { GateVerdict } from "./verdict.js";

/** Slowdowns of head's async mode that a trial makes: none, the threshold, and twice that. */
export const trialSlowdowns: readonly number[] = [0, 0.05, 0.1];

/** What a trial counts of each gate. */
export interface TrialOutcome extends Pick<GateOutcome, "slowdown" | "verdict" | "seconds"> {
  readonly metrics: readonly Pick<GateMetricResult, "metric" | "verdict">[];
}

/** How gates of one slowdown came out. */
export interface TrialRow {
  readonly slowdown: number;
  readonly runs: number;
  readonly verdicts: Readonly<Record<GateVerdict, number>>;
  /**
   * Runs with a regression of any metric that was not slowed: false alarms,
   * which also a slowed version can raise.
   */
  readonly falseAlarms: number;
  /** Exact 95 % interval of the share of false alarms. */
  readonly falseAlarmInterval95: Interval;
  /** Runs that saw the slowdown in the metric that has it; 0 where there is none. */
  readonly caught: number;
  /** Exact 95 % interval of the share that was caught; null where there is nothing to catch. */
  readonly caughtInterval95: Interval | null;
  readonly secondsPerRun: number;
}

/** What is judged of many gates over identical code, by the slowdown that was injected. */
export function summarizeTrial(outcomes: readonly TrialOutcome[]): TrialRow[] {
  const slowdowns = [...new Set(outcomes.map(({ slowdown }) => slowdown))].toSorted(
    (a, b) => a - b,
  );
  return slowdowns.map((slowdown) => {
    const of = outcomes.filter((outcome) => outcome.slowdown === slowdown);
    const count = (verdict: GateVerdict): number =>
      of.filter((outcome) => outcome.verdict === verdict).length;
    const alarmed = (isSlowed: boolean): number =>
      of.filter(({ metrics }) =>
        metrics.some(
          ({ metric, verdict }) =>
            verdict === "regression" && (slowdown > 0 && metric === slowedMetric) === isSlowed,
        ),
      ).length;
    const falseAlarms = alarmed(false);
    const caught = alarmed(true);
    return {
      slowdown,
      runs: of.length,
      verdicts: {
        none: count("none"),
        regression: count("regression"),
        inconclusive: count("inconclusive"),
      },
      falseAlarms,
      falseAlarmInterval95: binomialInterval95(falseAlarms, of.length),
      caught,
      caughtInterval95: slowdown === 0 ? null : binomialInterval95(caught, of.length),
      secondsPerRun: of.reduce((sum, { seconds }) => sum + seconds, 0) / of.length,
    };
  });
}

const slowedMetric = gateMetrics.find(
  ({ mode, kind }) => mode === "generateStreamAsync" && kind === "time per token",
)?.name;

/** The columns of a trial's table. */
export const trialColumns = [
  "injected",
  "gates",
  "regression",
  "inconclusive",
  "no regression",
  "caught",
  "false alarms",
  "s/gate",
] as const;

/** The table of a trial, a row for each slowdown, as text; shares have their 95 % interval. */
export function trialRows(rows: readonly TrialRow[]): string[][] {
  return rows.map((row) => {
    const { slowdown, runs, verdicts, caught, falseAlarms } = row;
    return [
      `${(slowdown * 100).toFixed(0)} %`,
      String(runs),
      share(verdicts.regression, runs),
      share(verdicts.inconclusive, runs),
      share(verdicts.none, runs),
      row.caughtInterval95 === null ? "–" : share(caught, runs, row.caughtInterval95),
      share(falseAlarms, runs, row.falseAlarmInterval95),
      row.secondsPerRun.toFixed(1),
    ];
  });
}

/** What a trial's table is of, in a sentence. */
export const trialNote =
  "Identical code as base and head; generateStreamAsync of head slowed as said. Intervals: 95 %, exact.";

/** A trial for a terminal. */
export function renderTrial(
  rows: readonly TrialRow[],
  { unicode }: { readonly unicode: boolean },
): string {
  const text = `${drawTable(trialColumns, trialRows(rows), { unicode })}\n${trialNote}`;
  return `\n${terminalText(text, { unicode })}\n`;
}

function share(count: number, of: number, interval?: Interval): string {
  const percent = (fraction: number): string => (100 * fraction).toFixed(0);
  const range =
    interval === undefined ? "" : `, ${percent(interval.lower)} to ${percent(interval.upper)} %`;
  return `${count} (${percent(count / of)} %${range})`;
}
