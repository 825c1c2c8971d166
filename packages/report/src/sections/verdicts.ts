import {
  describeVariant,
  type ClaimMetric,
  type ClaimResult,
  type Comparison,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { modeNames } from "../text/mode-names.js";
import {
  inUnitOf,
  percent,
  percentWithBounds,
  percentWithInterval,
  withInterval,
} from "../text/numbers.js";
import { comparisonOf, sampleColumns, sampleHead, section } from "./section.js";

/** The claims on the overhead. */
export function verdicts(record: ResultRecord): string {
  const claims = record.claims.filter(({ metric }) => metric === "overhead");
  const rows = claims.map((claim) => {
    const comparison = comparisonFor(record, claim);
    return [
      ...claimColumns(record, claim),
      comparison === undefined ? "–" : percentWithInterval(comparison.overhead.hodgesLehmann),
      comparison === undefined ? "–" : percentWithInterval(comparison.overhead.mean),
      String(comparison?.blocks ?? "–"),
      ...processColumns(comparison),
      comparison === undefined ? "–" : percent(comparison.standardDeviation),
      comparison === undefined ? "–" : percent(comparison.smallestDetectableEffect),
      showLook(record, claim),
      `< ${inUnitOf(claim, claim.limit)}`,
      claim.verdict,
    ];
  });
  return section(record, "Verdicts", rows, {
    head: [
      ...claimHead,
      "overhead (Hodges–Lehmann)",
      "overhead (mean)",
      "blocks",
      ...sampleHead,
      "standard deviation",
      "smallest detectable effect",
      "look",
      "limit",
      "verdict",
    ],
    definitions: [
      "overhead",
      "verdict",
      "smallest detectable effect",
      ...(hasLooks(record, "overhead") ? ["look"] : []),
    ],
    notes: [...plannedLooks(record, "overhead"), ...unsettled(claims)],
  });
}

/** The claims on µs per token; nothing where there are none. */
export function costVerdicts(record: ResultRecord): string {
  const claims = record.claims.filter(({ metric }) => metric === "absoluteCost");
  const rows = claims.map((claim) => {
    const comparison = comparisonFor(record, claim);
    const cost = comparison?.costMicrosecondsPerToken;
    return [
      ...claimColumns(record, claim),
      cost === undefined ? "–" : withInterval(cost.hodgesLehmann),
      cost === undefined ? "–" : withInterval(cost.mean),
      String(comparison?.blocks ?? "–"),
      ...processColumns(comparison),
      showLook(record, claim),
      `< ${inUnitOf(claim, claim.limit)}`,
      claim.verdict,
    ];
  });
  const looksAreNew = hasLooks(record, "absoluteCost") && !hasLooks(record, "overhead");
  // The absolute cost is defined in the section that follows.
  return section(record, "Verdicts on the absolute cost", rows, {
    head: [
      ...claimHead,
      "µs per token (Hodges–Lehmann)",
      "µs per token (mean)",
      "blocks",
      ...sampleHead,
      "look",
      "limit",
      "verdict",
    ],
    definitions: looksAreNew ? ["look"] : [],
    notes: [...(looksAreNew ? plannedLooks(record, "absoluteCost") : []), ...unsettled(claims)],
  });
}

/** The claims that there is no difference; nothing where there are none. */
export function differenceVerdicts(record: ResultRecord): string {
  const claims = record.claims.filter(({ metric }) => metric === "difference");
  const rows = claims.map((claim) => {
    const comparison = comparisonFor(record, claim);
    return [
      ...claimColumns(record, claim),
      comparison === undefined ? "–" : percentWithBounds(comparison.overhead.hodgesLehmann),
      comparison === undefined ? "–" : percentWithBounds(comparison.overhead.mean),
      String(comparison?.blocks ?? "–"),
      ...processColumns(comparison),
      `± ${inUnitOf(claim, claim.limit)}`,
      claim.verdict,
    ];
  });
  return section(record, "Verdicts on no difference", rows, {
    head: [
      ...claimHead,
      "difference (Hodges–Lehmann), 90 % interval",
      "difference (mean), 90 % interval",
      "blocks",
      ...sampleHead,
      "limit",
      "verdict",
    ],
    definitions: ["difference"],
    notes: unsettled(claims),
  });
}

function processColumns(comparison: Comparison | undefined): string[] {
  return comparison === undefined ? ["", ""] : sampleColumns(comparison);
}

/** Whether more than one look was planned, for claims on a metric. */
function hasLooks({ claims }: ResultRecord, metric: ClaimMetric): boolean {
  return claims.some((claim) => claim.metric === metric && claim.look !== undefined);
}

/** When verdicts were looked for. */
function plannedLooks(record: ResultRecord, metric: ClaimMetric): string[] {
  const looks = record.plan?.looks ?? [];
  if (looks.length === 0 || !hasLooks(record, metric)) return [];
  const each = looks.map(
    ({ processes, tail }) => `after ${processes} processes at ${((1 - tail) * 100).toFixed(1)} %`,
  );
  return [`Planned looks, and the level of their one-sided bounds: ${each.join("; ")}.`];
}

/** The look that decided; empty where only one was planned. */
function showLook({ plan }: ResultRecord, { look }: ClaimResult): string {
  if (look === undefined) return "";
  if (look === null) return "none yet";
  const looks = plan?.looks ?? [];
  const index = looks.findIndex(({ processes }) => processes === look.processes);
  const which = index === -1 ? "" : `${index + 1} of ${looks.length}, `;
  return `${which}after ${look.processes} processes`;
}

const claimHead = ["mode", "model", "tokens"] as const;

function claimColumns({ cells }: ResultRecord, claim: ClaimResult): string[] {
  const cell = cells.find(({ id }) => id === claim.cell);
  return [
    modeNames[claim.treatment],
    cell === undefined
      ? claim.cell
      : [cell.model, describeVariant(cell), cell.host].filter((part) => part !== "").join(", "),
    String(cell?.tokens ?? "–"),
  ];
}

function comparisonFor({ cells }: ResultRecord, claim: ClaimResult): Comparison | undefined {
  return comparisonOf(
    cells.find(({ id }) => id === claim.cell),
    claim.treatment,
  );
}

/** Why claims were not upheld, in the words of the record. */
function unsettled(claims: readonly ClaimResult[]): string[] {
  return claims
    .filter(({ verdict }) => verdict !== "upheld")
    .map(({ cell, treatment, verdict, reasons }) =>
      [`${cell}, ${modeNames[treatment]}: ${verdict}.`, ...reasons].join(" "),
    );
}
