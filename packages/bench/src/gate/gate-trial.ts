import { drawTable, toAscii } from "../terminal-text.js";
import { gateMetrics } from "./gate-work.js";
import type { GateOutcome } from "./run-gate.js";
import type { GateVerdict } from "./verdict.js";

/** Slowdowns of head's async mode that a trial makes: none, the threshold, and twice that. */
export const trialSlowdowns: readonly number[] = [0, 0.05, 0.1];

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
  /** Runs that saw the slowdown in the metric that has it; 0 where there is none. */
  readonly caught: number;
  readonly secondsPerRun: number;
}

/** What is judged of many gates over identical code, by the slowdown that was injected. */
export function summarizeTrial(
  outcomes: readonly Pick<GateOutcome, "slowdown" | "verdict" | "metrics" | "seconds">[],
): TrialRow[] {
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
    return {
      slowdown,
      runs: of.length,
      verdicts: {
        none: count("none"),
        regression: count("regression"),
        inconclusive: count("inconclusive"),
      },
      falseAlarms: alarmed(false),
      caught: alarmed(true),
      secondsPerRun: of.reduce((sum, { seconds }) => sum + seconds, 0) / of.length,
    };
  });
}

const slowedMetric = gateMetrics.find(
  ({ mode, kind }) => mode === "generateStreamAsync" && kind === "time per token",
)?.name;

/** A trial for a terminal. */
export function renderTrial(
  rows: readonly TrialRow[],
  { unicode }: { readonly unicode: boolean },
): string {
  const table = drawTable(
    [
      "injected",
      "runs",
      "regression",
      "inconclusive",
      "no regression",
      "caught",
      "false alarms",
      "s/run",
    ],
    rows.map(({ slowdown, runs, verdicts, caught, falseAlarms, secondsPerRun }) => [
      `${(slowdown * 100).toFixed(0)} %`,
      String(runs),
      share(verdicts.regression, runs),
      share(verdicts.inconclusive, runs),
      share(verdicts.none, runs),
      slowdown === 0 ? "–" : share(caught, runs),
      share(falseAlarms, runs),
      secondsPerRun.toFixed(1),
    ]),
    { unicode },
  );
  const text = `${table}\nIdentical code as base and head; generateStreamAsync of head slowed as said.`;
  return `\n${unicode ? text : toAscii(text)}\n`;
}

function share(count: number, of: number): string {
  return `${count} (${((100 * count) / of).toFixed(0)} %)`;
}
