import {
  describeVariant,
  lessOverhead,
  machineClass,
  promiseKey,
  widestFirst,
  type Cell,
  type ClaimResult,
  type ResultRecord,
  type Verdict,
} from "@streamgauge/bench/record";
import { comparisonOf, inUnitOf, modeNames } from "@streamgauge/bench/tables";
import { changesetOpening } from "../files/own-files.js";
import { machineInWords } from "./machine.js";
import { tokenTimesBlock } from "./token-times.js";
import { escapeMarkdown } from "../text/markdown-text.js";
import { percentWithBounds, percentWithInterval, withInterval } from "../text/numbers.js";

/**
 * Renders what a record says about streaming as an entry for a CHANGELOG: its cost by the time of a
 * token, and an item for each claim and verdict.
 *
 * @param previous of the release before; numbers are compared only where both are
 *   of the same class of machines, and the entry says where they are not
 */
export function renderChangelogSnippet(record: ResultRecord, previous?: ResultRecord): string {
  return `### Performance\n\n${costAndClaims(record, previous)}`;
}

/** The same as a changeset: a patch release of the package whose speed it is. */
export function renderChangeset(record: ResultRecord, previous?: ResultRecord): string {
  return (
    `${changesetOpening}${escapeMarkdown(machineInWords(record))}):\n\n` +
    costAndClaims(record, previous)
  );
}

function costAndClaims(record: ResultRecord, previous: ResultRecord | undefined): string {
  return [tokenTimesBlock(record), describeClaims(record, previous)]
    .filter((part) => part !== "")
    .join("\n\n");
}

/** The items of a snippet, and where they are from. */
export function describeClaims(record: ResultRecord, previous?: ResultRecord): string {
  const comparable = previous && isSameClass(record, previous) ? previous : undefined;
  const items = groupClaims(widestFirst(record.claims)).map(
    (group) => `- ${describe(record, group, comparable)}`,
  );
  const source = `Run of ${record.startedAt}, profile ${record.profile}, ${record.status}.`;
  return [
    ...(items.length > 0 ? items : ["- No claim about streaming was tested."]),
    "",
    escapeMarkdown(
      previous === undefined ? source : `${source} ${describeBasis(record, previous)}`,
    ),
    "",
  ].join("\n");
}

function isSameClass({ environment }: ResultRecord, previous: ResultRecord): boolean {
  return machineClass(environment) === machineClass(previous.environment);
}

/** What numbers are compared with, or why they are not. */
function describeBasis(record: ResultRecord, previous: ResultRecord): string {
  const run = `the run of ${previous.startedAt}, profile ${previous.profile}`;
  return isSameClass(record, previous)
    ? `"Before" is ${run}, on the same class of machines. A change is that of the ratio to ` +
        `generate; its interval does not know what else changed between the runs.`
    : `Not compared with ${run}: that was another class of machines ` +
        `(${machineClass(previous.environment)}, now ${machineClass(record.environment)}).`;
}

/** What a verdict does to a promise. */
const openings: Readonly<Record<Verdict, string>> = {
  upheld: "Validated",
  refuted: "Adjusted",
  inconclusive: "Not shown",
  void: "Not shown (the control differed from itself, or the cell failed)",
};

function describe(
  record: ResultRecord,
  group: readonly [ClaimResult, ...ClaimResult[]],
  previous: ResultRecord | undefined,
): string {
  const [claim] = group;
  const cells = group.map((member) => {
    const cell = record.cells.find(({ id }) => id === member.cell);
    const measured = measuredFor(record, member);
    const where = cell === undefined ? member.cell : whereIs(cell, member);
    if (measured === undefined) return where;
    return [`${where}: ${measured}`, ...describeBefore(record, member, previous)].join(", ");
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

/** What the previous record had of a claim, and by how much that changed. */
function describeBefore(
  record: ResultRecord,
  claim: ClaimResult,
  previous: ResultRecord | undefined,
): string[] {
  const measured = previous && measuredFor(previous, claim);
  if (previous === undefined || measured === undefined) return [];
  const before = previous.claims.find(({ id, cell }) => id === claim.id && cell === claim.cell);
  const verdict = before === undefined ? "" : ` and ${before.verdict}`;
  const [now, then] = [record, previous].map(({ cells }) =>
    comparisonOf(
      cells.find(({ id }) => id === claim.cell),
      claim.treatment,
    ),
  );
  const change =
    claim.metric === "absoluteCost" || now === undefined || then === undefined
      ? []
      : [lessOverhead(now.overhead.hodgesLehmann, then.overhead.hodgesLehmann)];
  return [
    `before ${measured}${verdict}`,
    ...change.map((found) => `changed by ${percentWithInterval(found)}`),
  ];
}

/** By what is promised and the verdict, in their order. */
function groupClaims(claims: readonly ClaimResult[]): [ClaimResult, ...ClaimResult[]][] {
  const groups = new Map<string, [ClaimResult, ...ClaimResult[]]>();
  for (const claim of claims) {
    const key = `${promiseKey(claim)} ${claim.verdict}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [claim]);
    else group.push(claim);
  }
  return [...groups.values()];
}
