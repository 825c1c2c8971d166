import { createColors } from "picocolors";
import {
  describeVariant,
  type ClaimMetric,
  type ClaimResult,
  type Comparison,
  type Estimate,
  type ResultRecord,
  type Verdict,
} from "../record/index.js";
import { oneDecimal, percent, percentOfTwoDecimals, percentRange } from "./numbers.js";
import {
  comparisonOf,
  modeNames,
  showProcesses,
  titledTable,
  type SummaryOptions,
} from "./table.js";

/** The claims, a table for each metric, and why some were not upheld. */
export function verdicts(record: ResultRecord, options: SummaryOptions): string[] {
  return [
    ...verdictTable(record, "overhead", options),
    ...verdictTable(record, "absoluteCost", options),
    ...verdictTable(record, "difference", options),
    ...unsettled(record.claims),
  ];
}

function verdictTable(
  record: ResultRecord,
  metric: ClaimMetric,
  options: SummaryOptions,
): string[] {
  const { title, name, interval, estimateOf, show, showRange, showLimit } = claimMetrics[metric];
  const rows = record.claims
    .filter((claim) => claim.metric === metric)
    .map((claim) => {
      const cell = record.cells.find(({ id }) => id === claim.cell);
      const comparison = comparisonOf(cell, claim.treatment);
      return [
        cell?.model ?? "-",
        cell === undefined ? "" : describeVariant(cell),
        modeNames[claim.treatment],
        String(cell?.tokens ?? 0),
        comparison === undefined ? "-" : show(estimateOf(comparison).value),
        comparison === undefined ? "-" : showRange(estimateOf(comparison)),
        comparison === undefined ? "-" : String(comparison.blocks),
        comparison === undefined ? "" : showProcesses(comparison),
        showLook(record, claim),
        showLimit(claim.limit),
        showVerdict(claim.verdict, options.color),
      ];
    });
  const head = ["model", "variant", "mode", "tokens", name, interval, "blocks", "processes"];
  return titledTable(title, [...head, "look", "limit", "verdict"], rows, options);
}

/** Which of the planned looks decided; empty where only one was planned. */
function showLook({ plan }: ResultRecord, { look }: ClaimResult): string {
  if (look === undefined) return "";
  if (look === null) return "none";
  const looks = plan?.looks ?? [];
  const index = looks.findIndex(({ processes }) => processes === look.processes);
  return index === -1 ? `at ${look.processes}` : `${index + 1} of ${looks.length}`;
}

/** Why a claim was not upheld, in the words of the record. */
function unsettled(claims: readonly ClaimResult[]): string[] {
  return claims
    .filter(({ verdict }) => verdict !== "upheld")
    .map(({ cell, treatment, verdict, reasons }) =>
      [`${cell}, ${modeNames[treatment]}: ${verdict}.`, ...reasons].join(" "),
    );
}

interface ShownMetric {
  readonly title: string;
  /** Head of the column. */
  readonly name: string;
  /** Head of the column with the interval. */
  readonly interval: string;
  readonly estimateOf: (comparison: Comparison) => Estimate;
  readonly show: (value: number) => string;
  readonly showRange: (estimate: Estimate) => string;
  readonly showLimit: (limit: number) => string;
}

const claimMetrics: Readonly<Record<ClaimMetric, ShownMetric>> = {
  overhead: {
    title: "Overhead against generate(), T = end-to-end latency:",
    name: "overhead",
    interval: "95 % interval",
    estimateOf: ({ overhead }) => overhead.hodgesLehmann,
    show: percent,
    showRange: percentRange,
    showLimit: (limit) => `< ${Number((limit * 100).toFixed(2))} %`,
  },
  absoluteCost: {
    title: "Absolute cost against generate(), µs per token:",
    name: "cost",
    interval: "95 % interval",
    estimateOf: ({ costMicrosecondsPerToken }) => costMicrosecondsPerToken.hodgesLehmann,
    show: oneDecimal,
    showRange: ({ interval95: { lower, upper } }) => `${oneDecimal(lower)} to ${oneDecimal(upper)}`,
    showLimit: (limit) => `< ${limit}`,
  },
  difference: {
    title: "No difference from generate() (upheld: the 90 % interval lies within the limit):",
    name: "difference",
    interval: "90 % interval",
    estimateOf: ({ overhead }) => overhead.hodgesLehmann,
    show: percentOfTwoDecimals,
    showRange: ({ bounds95: { lower, upper } }) =>
      `${(lower * 100).toFixed(2)} to ${percentOfTwoDecimals(upper)}`,
    showLimit: (limit) => `± ${percentOfTwoDecimals(limit)}`,
  },
};

function showVerdict(verdict: Verdict, color: boolean): string {
  const colors = createColors(color);
  switch (verdict) {
    case "upheld":
      return colors.green(verdict);
    case "refuted":
      return colors.red(verdict);
    case "inconclusive":
    case "void":
      return colors.yellow(verdict);
    default:
      return verdict satisfies never;
  }
}
