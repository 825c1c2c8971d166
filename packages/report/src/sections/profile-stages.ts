import type { LatencySummary, ProfileOf, ResultRecord } from "@streamgauge/bench/record";
import { duration, oneDecimal, percent } from "../text/numbers.js";
import { modeColumns, modeHead, section } from "./section.js";

/** What the model's time goes to. */
export function operators(
  record: ResultRecord,
  profiles: readonly ProfileOf<"operators">[],
): string {
  const rows = profiles.flatMap(({ findings, ...profile }) => [
    ...findings.operators.map(({ operator, calls, microsecondsPerToken, fraction }) => [
      ...modeColumns(profile),
      operator,
      String(calls),
      oneDecimal(microsecondsPerToken),
      percent(fraction),
    ]),
    [
      ...modeColumns(profile),
      "(the whole run)",
      "–",
      oneDecimal(findings.runMicrosecondsPerToken),
      "–",
    ],
  ]);
  return section(record, "Operators", rows, {
    head: [...modeHead, "operator", "calls", "µs per token", "share"],
    definitions: ["operators"],
    level: 3,
  });
}

/** What documents call the stages of a token's way. */
export const stageNames = {
  published: "made → published",
  woken: "published → consumer awake",
  delivered: "consumer awake → delivered",
  callbackDone: "delivered → callback done",
} as const;

/** Where a token's time goes on its way to the user's code. */
export function ledger(record: ResultRecord, profiles: readonly ProfileOf<"ledger">[]): string {
  const rows = profiles.flatMap(({ findings, ...profile }) => [
    ...findings.stages.map(({ stage, latency }) => [
      ...modeColumns(profile),
      stageNames[stage],
      ...spread(latency),
    ]),
    [...modeColumns(profile), "residual", ...spread(findings.residual)],
  ]);
  return section(record, "Ledger: a token's way", rows, {
    head: [...modeHead, "stage", "p50", "p90", "p99", "max", "count"],
    definitions: ["ledger stages", "residual"],
    level: 3,
  });
}

function spread(latency: LatencySummary): string[] {
  return [
    duration(latency.p50Nanoseconds),
    duration(latency.p90Nanoseconds),
    duration(latency.p99Nanoseconds),
    duration(latency.maximumNanoseconds),
    String(latency.count),
  ];
}
