import { readClaimList } from "../conclude/claim-list.js";
import type { ClaimList, ResultRecord } from "../record/index.js";
import { findingOf, followsOlderRules, type Agreement, type Finding } from "./agreement.js";
import type { ReadBeside } from "./cell-samples.js";
import { verifyCell, type CellVerification } from "./verify-cell.js";
import { verifyClaims } from "./verify-claims.js";
import {
  verifyEndpoints,
  verifyEngine,
  verifyMachines,
  verifyOthers,
  verifyProfiles,
  verifyTransports,
} from "./verify-measurements.js";
import { verifyPlan } from "./verify-plan.js";

export type { Agreement } from "./agreement.js";
export type { CellVerification } from "./verify-cell.js";

/** A record, held against its raw samples, its claims and its plan. */
export interface Verification {
  /** `nothing` when no cell names raw samples, and nothing else can be derived: there is nothing to verify. */
  readonly outcome: "agrees" | "differs" | "nothing";
  readonly cells: readonly CellVerification[];
  /** That every claim of the list is judged for every cell that it is made for, by its own limit. */
  readonly claims: Agreement;
  /** That all that was planned is there. */
  readonly plan: Agreement;
  /** What is concluded of transports, from the blocks that the record itself holds. */
  readonly transports: Agreement;
  /** What is concluded of the engine's measurements, from the blocks that the record itself holds. */
  readonly engine: Agreement;
  /** What instruments cost, from the runs that the record itself holds. */
  readonly profiles: Agreement;
  /** Latencies by their histograms, rates, split streams and the calibration. */
  readonly others: Agreement;
  /** Problems of all of them, and of claims about cells that are not there. */
  readonly problems: readonly string[];
  /** What could not be checked of this record, and why. */
  readonly notes: readonly string[];
}

/** What no record can be verified for, in a sentence. */
export const neverVerified: string =
  "Not checked: whether the raw samples are genuine; and what has no samples, which is when, where " +
  "and on what it ran, warm-ups, what profiles saw, and loads beyond their histograms.";

/**
 * Derives every block, histogram, analysis and verdict of a record again from its raw samples, and
 * compares; of transports, the engine, profiles and loads what follows from the numbers that the
 * record keeps of them. Then it holds the record against its own list of claims and its plan: that
 * nothing is missing, added, or judged by another limit.
 *
 * A record's file leaves out the blocks that it can restore from raw samples. They are then no second
 * source, and what holds the samples is their SHA-256, the number of blocks of each process, the order
 * that the seed draws, and all that is derived from them.
 *
 * @param readFile gives the bytes of a file that is named relative to the record
 * @param unrestored ids of cells whose blocks were left out and could not be restored
 * @param claims of the file that the run was judged by; default: the shipped file, where it was that
 */
export async function verifyRecord(
  record: ResultRecord,
  readFile: ReadBeside,
  unrestored: Iterable<string> = [],
  claims?: ClaimList,
): Promise<Verification> {
  const isShipped = record.claimList?.source === "shipped";
  const atHand = claims ?? (isShipped ? await readClaimList() : undefined);
  const listed = (record.claimList ?? atHand)?.claims;
  const cells: CellVerification[] = [];
  const withoutBlocks = new Set(unrestored);
  for (const cell of record.cells) {
    const isWithoutBlocks = withoutBlocks.has(cell.id);
    cells.push(await verifyCell(record, cell, readFile, { claims: listed, isWithoutBlocks }));
  }
  const findings = {
    claims: verifyClaims(record, atHand),
    plan: verifyPlan(record),
    transports: verifyTransports(record),
    engine: verifyEngine(record),
    endpoints: verifyEndpoints(record),
    machines: verifyMachines(record, withoutBlocks.size === 0),
    profiles: verifyProfiles(record),
    others: verifyOthers(record, withoutBlocks.size === 0),
  };
  const story = Object.values(findings);
  const problems = [
    ...cells.flatMap((cell) => cell.problems),
    ...describeStrayClaims(record).problems,
    ...story.flatMap((finding) => finding.problems),
  ];
  return {
    outcome: isEmpty(cells, findings) ? "nothing" : problems.length === 0 ? "agrees" : "differs",
    cells,
    claims: findings.claims.agreement,
    plan: findings.plan.agreement,
    transports: findings.transports.agreement,
    engine: findings.engine.agreement,
    profiles: findings.profiles.agreement,
    others: findings.others.agreement,
    problems,
    notes: [
      ...story.flatMap(({ notes }) => notes),
      ...(followsOlderRules(record)
        ? [
            "It was concluded by older rules (version 3): its intervals and verdicts are not checked.",
          ]
        : []),
    ],
  };
}

function describeStrayClaims({ claims, cells }: ResultRecord): Finding {
  const stray = claims
    .filter((claim) => cells.every(({ id }) => id !== claim.cell))
    .map(({ id, cell }) => `Claim ${id} is about ${cell}, and the record has no such cell.`);
  return findingOf(claims.length > 0, stray);
}

/** Nothing can be derived, and the story has no gap that shows all the same. */
function isEmpty(
  cells: readonly CellVerification[],
  {
    claims,
    plan,
    ...derived
  }: Readonly<
    Record<
      | "claims"
      | "plan"
      | "transports"
      | "engine"
      | "endpoints"
      | "machines"
      | "profiles"
      | "others",
      Finding
    >
  >,
): boolean {
  return (
    cells.every(({ file }) => file === null) &&
    [claims, plan].every(({ agreement }) => agreement !== "differs") &&
    Object.values(derived).every(({ agreement }) => agreement === "unchecked")
  );
}
