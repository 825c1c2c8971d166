import type { LatencySummary, ProfileOf } from "../record/index.js";
import {
  column,
  columns,
  documentColumn,
  modeColumns,
  modeValues,
  terminalColumn,
  type Table,
} from "./table.js";
import { count, decimal, duration, percent, type Value } from "./value.js";

/** What the model's time goes to. */
export function operators(profiles: readonly ProfileOf<"operators">[]): Table[] {
  const rows = profiles.flatMap(({ findings, ...profile }, group) => [
    ...findings.operators.map(({ operator, calls, microsecondsPerToken, fraction }) => ({
      group,
      values: [
        ...modeValues(profile),
        operator,
        count(calls),
        decimal(microsecondsPerToken),
        percent(fraction),
      ],
    })),
    {
      values: [
        ...modeValues(profile),
        "(the whole run)",
        "",
        decimal(findings.runMicrosecondsPerToken),
        "",
      ],
    },
  ]);
  return [
    {
      heading: "Operators",
      title: "onnxruntime's operators:",
      columns: [
        ...modeColumns,
        ...columns("operator", "calls"),
        column("µs/token", "µs per token"),
        ...columns("share"),
      ],
      rows,
      definitions: ["operators"],
      mostTerminalRows: 8,
    },
  ];
}

/** The stages of a token's way. */
export const stageNames = {
  published: "made → published",
  woken: "published → consumer awake",
  delivered: "consumer awake → delivered",
  callbackDone: "delivered → callback done",
} as const;

/** Where a terminal shows each under the one before. */
const shortStageNames = {
  published: stageNames.published,
  woken: "→ consumer awake",
  delivered: "→ delivered",
  callbackDone: "→ callback done",
} as const;

/** Where a token's time goes on its way to the user's code. */
export function ledger(profiles: readonly ProfileOf<"ledger">[]): Table[] {
  const residual = "residual per generation";
  const rows = profiles.flatMap(({ findings, ...profile }) => [
    ...findings.stages.map(({ stage, latency }) => ({
      values: [
        ...modeValues(profile),
        shortStageNames[stage],
        stageNames[stage],
        ...spread(latency),
      ],
    })),
    { values: [...modeValues(profile), residual, residual, ...spread(findings.residual)] },
  ]);
  return [
    {
      heading: "Ledger: a token's way",
      title:
        "A token's way (residual: end to end minus queue, prompt, decode and the last token's way):",
      columns: [
        ...modeColumns,
        terminalColumn("stage"),
        documentColumn("stage"),
        ...columns("p50"),
        documentColumn("p90"),
        ...columns("p99", "max"),
        documentColumn("count"),
      ],
      rows,
      definitions: ["ledger stages", "residual"],
    },
  ];
}

function spread(latency: LatencySummary): Value[] {
  return [
    duration(latency.p50Nanoseconds),
    duration(latency.p90Nanoseconds),
    duration(latency.p99Nanoseconds),
    duration(latency.maximumNanoseconds),
    count(latency.count),
  ];
}
