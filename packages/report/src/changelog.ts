import {
  describeVariant,
  type Cell,
  type ClaimResult,
  type ResultRecord,
  type Verdict,
} from "@streamgauge/bench/record";
import { escapeMarkdown } from "./markdown-text.js";
import { modeNames } from "./mode-names.js";
import { inUnitOf, percentWithBounds, percentWithInterval, withInterval } from "./numbers.js";
import { comparisonOf } from "./section.js";

/**
 * Renders what a record says about the claims as an entry for a CHANGELOG: one
 * item for each claim and verdict.
 */
export function renderChangelogSnippet(record: ResultRecord): string {
  const items = groupClaims(record.claims).map((group) => `- ${describe(record, group)}`);
  const source = `Run of ${record.startedAt}, profile ${record.profile}, ${record.status}.`;
  return [
    "### Performance",
    "",
    ...(items.length > 0 ? items : ["- No claim about streaming was tested."]),
    "",
    escapeMarkdown(source),
    "",
  ].join("\n");
}

/** What a verdict does to a promise. */
const openings: Readonly<Record<Verdict, string>> = {
  upheld: "Validated",
  refuted: "Adjusted",
  inconclusive: "Not shown",
  void: "Not shown (the machine was too noisy, or the cell failed)",
};

function describe(record: ResultRecord, group: readonly [ClaimResult, ...ClaimResult[]]): string {
  const [claim] = group;
  const cells = group.map((member) => {
    const cell = record.cells.find(({ id }) => id === member.cell);
    const measured = measuredFor(record, member);
    const where = cell === undefined ? member.cell : whereIs(cell, member);
    return measured === undefined ? where : `${where}: ${measured}`;
  });
  return escapeMarkdown(`${openings[claim.verdict]}: ${promiseOf(claim)} (${cells.join("; ")}).`);
}

/** What is promised, or, once it is refuted, what is not so. */
function promiseOf(claim: ClaimResult): string {
  const mode = modeNames[claim.treatment];
  const isRefuted = claim.verdict === "refuted";
  const limit = inUnitOf(claim, claim.limit);
  switch (claim.metric) {
    case "overhead":
      return `${mode} ${isRefuted ? "does not stay under" : "under"} ${limit} overhead`;
    case "absoluteCost":
      return `${mode} ${isRefuted ? "does not stay under" : "under"} ${limit}`;
    case "difference":
      return isRefuted
        ? `${mode} differs from generate by more than ± ${limit}`
        : `no difference within ± ${limit} between ${mode} and generate`;
    default:
      return claim.metric satisfies never;
  }
}

/** The overhead is promised for one model; the others are of the engine they were measured on. */
function whereIs(cell: Cell, { metric }: ClaimResult): string {
  const { model, tokens } = cell;
  const what = [metric === "overhead" ? "" : model, describeVariant(cell), `${tokens} tokens`];
  return what.filter((part) => part !== "").join(", ");
}

/** What the claim is about, with its interval. */
function measuredFor(
  record: ResultRecord,
  { cell: id, treatment, metric }: ClaimResult,
): string | undefined {
  const cell = record.cells.find((candidate) => candidate.id === id);
  const comparison = comparisonOf(cell, treatment);
  if (comparison === undefined) return undefined;
  const { overhead, costMicrosecondsPerToken } = comparison;
  switch (metric) {
    case "overhead":
      return percentWithInterval(overhead.hodgesLehmann);
    case "absoluteCost":
      return `${withInterval(costMicrosecondsPerToken.hodgesLehmann)} µs`;
    case "difference":
      return percentWithBounds(overhead.hodgesLehmann);
    default:
      return metric satisfies never;
  }
}

/** By claim and verdict, in the record's order. */
function groupClaims(claims: readonly ClaimResult[]): [ClaimResult, ...ClaimResult[]][] {
  const groups = new Map<string, [ClaimResult, ...ClaimResult[]]>();
  for (const claim of claims) {
    const key = JSON.stringify([claim.id, claim.verdict]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [claim]);
    else group.push(claim);
  }
  return [...groups.values()];
}
