import type { LatencySummary, ProfileOf } from "../record/index.js";
import { duration, oneDecimal, percent } from "./numbers.js";
import { modeColumns, modeHead, titledTable, type SummaryOptions } from "./table.js";

/** Operators that a terminal has room for, of each profile. */
const mostOperators = 8;

/** What the model's time goes to. */
export function operators(
  profiles: readonly ProfileOf<"operators">[],
  options: SummaryOptions,
): string[] {
  const rows = profiles.flatMap(({ findings, ...profile }) => [
    ...findings.operators
      .slice(0, mostOperators)
      .map(({ operator, calls, microsecondsPerToken, fraction }) => [
        ...modeColumns(profile),
        operator,
        String(calls),
        oneDecimal(microsecondsPerToken),
        percent(fraction),
      ]),
    [
      ...modeColumns(profile),
      "(the whole run)",
      "",
      oneDecimal(findings.runMicrosecondsPerToken),
      "",
    ],
  ]);
  const head = [...modeHead, "operator", "calls", "µs/token", "share"];
  return titledTable("onnxruntime's operators:", head, rows, options);
}

const stageNames = {
  published: "made → published",
  woken: "→ consumer awake",
  delivered: "→ delivered",
  callbackDone: "→ callback done",
} as const;

/** Where a token's time goes on its way to the user's code. */
export function ledger(
  profiles: readonly ProfileOf<"ledger">[],
  options: SummaryOptions,
): string[] {
  const rows = profiles.flatMap(({ findings, ...profile }) => [
    ...findings.stages.map(({ stage, latency }) => [
      ...modeColumns(profile),
      stageNames[stage],
      ...spread(latency),
    ]),
    [...modeColumns(profile), "residual, a generation", ...spread(findings.residual)],
  ]);
  return titledTable(
    "A token's way (residual: end to end less queue, prefill, decode and the last token's way):",
    [...modeHead, "stage", "p50", "p99", "max"],
    rows,
    options,
  );
}

function spread(latency: LatencySummary): string[] {
  return [latency.p50Nanoseconds, latency.p99Nanoseconds, latency.maximumNanoseconds].map(duration);
}
