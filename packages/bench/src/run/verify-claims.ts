import { differencesOfClaims, hashClaims } from "../conclude/claim-list.js";
import { isMadeFor } from "../conclude/claims.js";
import type { Claim, ClaimList, ResultRecord } from "../record/index.js";
import { findingOf, type Finding } from "./agreement.js";

/**
 * Whether a record's claims are those of its list, and those of the file: that all are judged that
 * should be, by their own limits. The verdicts themselves are compared cell by cell.
 *
 * @param atHand the file, where there is one
 */
export function verifyClaims(record: ResultRecord, atHand: ClaimList | undefined): Finding {
  const { claimList } = record;
  const list = claimList ?? atHand;
  if (list === undefined) {
    return findingOf(
      false,
      [],
      [
        "The record was made before records named their claims: whether one is missing, or has another " +
          "limit, is not checked. Give the file of its run with --claims.",
      ],
    );
  }
  const problems = [
    ...(claimList === undefined ? [] : describeOtherList(claimList, atHand)),
    ...describeOtherJudgements(record, list.claims),
  ];
  const notes =
    atHand === undefined
      ? [`To compare the record's claims with ${nameOf(list)}, give it with --claims.`]
      : [];
  return findingOf(true, problems, list.source === "program" ? [] : notes);
}

/** The record's list against its hash, and against the file. */
function describeOtherList(list: ClaimList, atHand: ClaimList | undefined): string[] {
  const actual = hashClaims(list.claims);
  const hash =
    actual === list.sha256
      ? []
      : [`The SHA-256 of the record's claims is ${actual}, and the record says ${list.sha256}.`];
  if (atHand === undefined) return hash;
  const differences = differencesOfClaims(list.claims, atHand.claims, nameOf(atHand));
  const remedy =
    `If ${nameOf(atHand)} has changed since the run, give the one of the run with --claims, or run ` +
    `the bench again.`;
  return [...hash, ...differences, ...(differences.length === 0 ? [] : [remedy])];
}

function nameOf({ source, file }: ClaimList): string {
  if (source === "shipped") return "the shipped claims.json";
  return file === null ? "the list of the program" : `the file ${file}`;
}

/** Each claim with each cell that it is made for, once and by its own limit, and nothing else. */
function describeOtherJudgements(
  { claims: results, cells, status }: ResultRecord,
  claims: readonly Claim[],
): string[] {
  const problems: string[] = [];
  const expected = new Set<string>();
  for (const cell of cells) {
    for (const claim of claims.filter((one) => isMadeFor(one, cell))) {
      expected.add(JSON.stringify([claim.id, cell.id]));
      const found = results.filter(({ id, cell: about }) => id === claim.id && about === cell.id);
      // A crash comes before the last verdicts.
      if (found.length === 0 && status !== "running") {
        problems.push(`Claim ${claim.id} is made for ${cell.id}, and the record has no verdict.`);
      }
      if (found.length > 1) problems.push(`Claim ${claim.id} is judged twice for ${cell.id}.`);
      for (const result of found) {
        for (const field of ["metric", "treatment", "limit"] as const) {
          if (result[field] === claim[field]) continue;
          problems.push(
            `Claim ${claim.id} is judged for ${cell.id} by the ${field} ${result[field]}, and the ` +
              `claims say ${claim[field]}.`,
          );
        }
      }
    }
  }
  for (const { id, cell } of results) {
    // A cell that is not there is a problem of its own.
    if (cells.every((one) => one.id !== cell) || expected.has(JSON.stringify([id, cell]))) continue;
    problems.push(`Claim ${id} is judged for ${cell}, for which no claim of that name is made.`);
  }
  return problems;
}
