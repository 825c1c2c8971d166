import {
  describeVariant,
  widestClaims,
  widestFirst,
  type ClaimMetric,
  type ClaimResult,
  type Comparison,
  type Estimate,
  type ResultRecord,
} from "../record/index.js";
import { comparisonOf, processesOf } from "./comparisons.js";
import { columns, documentColumn, modeNames, type Note, type Place, type Table } from "./table.js";
import {
  count,
  decimal,
  decimalEstimate,
  percent,
  percentEstimate,
  type Quantity,
  type Value,
} from "./value.js";

/** The claims, a table for each metric; then why some were not upheld: in a terminal after all of them. */
export function verdicts(record: ResultRecord): Table[] {
  const metrics = (["overhead", "absoluteCost", "difference"] as const).filter((metric) =>
    record.claims.some((claim) => claim.metric === metric),
  );
  return metrics.map((metric, index) => {
    const isLast = index === metrics.length - 1;
    return verdictTable(record, metric, [
      ...unsettled(
        record.claims.filter((claim) => claim.metric === metric),
        "document",
      ),
      // Of a narrow promise about what has a wide one too, a terminal shows the verdict alone.
      ...(isLast ? unsettled(widestClaims(record.claims), "terminal") : []),
    ]);
  });
}

function verdictTable(record: ResultRecord, metric: ClaimMetric, notes: readonly Note[]): Table {
  const { heading, title, introduction, name, interval, mean, definitions } = claimMetrics[metric];
  const { estimatesOf, estimate, range, limit } = claimMetrics[metric];
  const claims = widestFirst(record.claims.filter((claim) => claim.metric === metric));
  const hasLooks = claims.some(({ look }) => look !== undefined);
  const rows = claims.map((claim) => {
    const cell = record.cells.find(({ id }) => id === claim.cell);
    const comparison = comparisonOf(cell, claim.treatment);
    const estimates = comparison === undefined ? undefined : estimatesOf(comparison);
    return {
      cell,
      values: [
        cell?.model ?? null,
        cell === undefined ? "" : describeVariant(cell),
        cell?.host ?? "",
        modeNames[claim.treatment],
        count(cell?.tokens ?? 0),
        estimates === undefined ? null : estimate(estimates.hodgesLehmann.value),
        estimates === undefined ? null : range(estimates.hodgesLehmann),
        estimates === undefined ? null : mean(estimates.mean),
        count(comparison?.blocks),
        comparison === undefined ? "" : processesOf(comparison),
        comparison === undefined ? null : percent(comparison.standardDeviation),
        comparison === undefined ? null : percent(comparison.smallestDetectableEffect),
        lookOf(record, claim),
        limit(claim.limit),
        { kind: "verdict", verdict: claim.verdict } as const,
      ],
    };
  });
  return {
    heading,
    title,
    ...(introduction !== undefined && {
      introduction: introduction + (hasLooks ? ` ${meaningOfLook}` : ""),
    }),
    columns: [
      ...columns("model", "variant"),
      documentColumn("host"),
      ...columns("mode", "tokens", name, interval),
      documentColumn(`${name}, mean`),
      ...columns("blocks", "processes"),
      documentColumn("standard deviation"),
      documentColumn("smallest detectable effect"),
      ...columns("look", "limit", "verdict"),
    ],
    rows,
    definitions: [...definitions, ...(hasLooks ? ["look"] : [])],
    notes: [...(hasLooks ? plannedLooks(record) : []), ...notes],
  };
}

const meaningOfLook = "Look: which of the planned moments of judging decided.";

/** Which of the planned looks decided; empty where only one was planned. */
function lookOf({ plan }: ResultRecord, { look }: ClaimResult): Value {
  if (look === undefined) return "";
  if (look === null) return "none";
  const looks = plan?.looks ?? [];
  const index = looks.findIndex(({ processes }) => processes === look.processes);
  return index === -1 ? `at ${look.processes}` : `${index + 1} of ${looks.length}`;
}

/** When verdicts were looked for. */
function plannedLooks({ plan }: ResultRecord): Note[] {
  const each = (plan?.looks ?? []).map(
    ({ processes, tail }) => `after ${processes} processes at ${((1 - tail) * 100).toFixed(1)} %`,
  );
  if (each.length === 0) return [];
  const text = `Planned looks, and the level of their one-sided bounds: ${each.join("; ")}.`;
  return [{ text, only: "document" }];
}

/** Why claims were not upheld, in the words of the record. */
function unsettled(claims: readonly ClaimResult[], only: Place): Note[] {
  return claims
    .filter(({ verdict }) => verdict !== "upheld")
    .map(({ cell, treatment, verdict, reasons }) => ({
      text: [`${cell}, ${modeNames[treatment]}: ${verdict}.`, ...reasons].join(" "),
      only,
    }));
}

interface ShownMetric {
  readonly heading: string;
  readonly title: string;
  readonly introduction?: string;
  /** Head of the column with the estimate. */
  readonly name: string;
  /** Head of the column with the interval. */
  readonly interval: string;
  readonly definitions: readonly string[];
  readonly estimatesOf: (comparison: Comparison) => {
    readonly hodgesLehmann: Estimate;
    readonly mean: Estimate;
  };
  readonly estimate: (value: number) => Value;
  readonly range: (estimate: Estimate) => Value;
  readonly mean: (estimate: Estimate) => Value;
  readonly limit: (limit: number) => Value;
}

const claimMetrics: Readonly<Record<ClaimMetric, ShownMetric>> = {
  overhead: {
    heading: "Verdicts",
    title: "Overhead against generate(), by end-to-end latency:",
    introduction:
      "Overhead: how much longer than generate(). Upheld: the interval is below the limit, with room " +
      "for what the control (generate() against itself) may differ by. Refuted: it is above. " +
      "Inconclusive: neither, and more runs may decide. Void: neither, and the control differed too.",
    name: "overhead",
    interval: "95 % interval",
    definitions: ["overhead", "verdict", "smallest detectable effect"],
    estimatesOf: ({ overhead }) => overhead,
    estimate: (value) => percent(value),
    range: ({ interval95 }) => percentRange(interval95, 1),
    mean: percentEstimate,
    limit: (limit) => `< ${Number((limit * 100).toFixed(2))} %`,
  },
  absoluteCost: {
    heading: "Verdicts on the absolute cost",
    title: "Absolute cost against generate(), µs per token:",
    name: "cost",
    interval: "95 % interval",
    // The table of costs, which follows, explains the absolute cost.
    definitions: [],
    estimatesOf: ({ costMicrosecondsPerToken }) => costMicrosecondsPerToken,
    estimate: (value) => decimal(value),
    range: ({ interval95: { lower, upper } }) => ({ kind: "decimalRange", lower, upper }),
    mean: decimalEstimate,
    limit: (limit) => `< ${limit}`,
  },
  difference: {
    heading: "Verdicts on no difference",
    title: "No difference from generate() (upheld: the 90 % interval lies within the limit):",
    name: "difference",
    interval: "90 % interval",
    definitions: ["difference"],
    estimatesOf: ({ overhead }) => overhead,
    estimate: (value) => percent(value, 2),
    range: ({ bounds95 }) => percentRange(bounds95, 2),
    mean: ({ bounds95 }) => percentRange(bounds95, 2),
    limit: (limit) => `± ${(limit * 100).toFixed(2)} %`,
  },
};

function percentRange(
  { lower, upper }: { readonly lower: number; readonly upper: number },
  digits: 1 | 2,
): Quantity {
  return { kind: "percentRange", lower, upper, digits };
}
