import type { ClaimResult, ResultRecord, Verdict } from "../record/index.js";
import { describeLoad } from "../record/index.js";
import { inUnitOf } from "../tables/controls.js";
import { modeNames } from "../tables/table.js";

/** A claim in words, with the ids of what it was held against, by verdict. */
export interface ClaimSummary extends Readonly<Record<Verdict, readonly string[]>> {
  readonly claim: string;
  /** What it was held against: `lengths` are cells that differ in nothing but the number of tokens. */
  readonly about: "lengths" | "cells" | "loads" | "measurements";
}

interface Judged extends Pick<ClaimSummary, "claim" | "about"> {
  readonly of: string;
  readonly verdict: Verdict;
}

/** Of cells, then of transports and of the engine. */
export function claimsInWords(record: ResultRecord): ClaimSummary[] {
  const { claims, transports = [], engine = [] } = record;
  const judged: Judged[] = [
    ...claims.map((claim) => ({
      claim: inWords(claim),
      about: "cells" as const,
      of: claim.cell,
      verdict: claim.verdict,
    })),
    ...transports.flatMap((measured) =>
      measured.claims.map(({ transport, against, limit, verdict }) => ({
        claim: `${transport} takes less than ${limit} of the CPU time of ${against}`,
        about: "loads" as const,
        of: describeLoad(measured),
        verdict,
      })),
    ),
    ...engine.flatMap(({ id, title, claims: promised }) =>
      promised.map(({ contender, against, promise, verdict }) => ({
        claim: `${title}: ${contender} against ${against}, ${promise}`,
        about: "measurements" as const,
        of: id,
        verdict,
      })),
    ),
  ];
  const kinds = new Map(judged.map(({ claim, about }) => [claim, about]));
  return [...kinds].map(([claim, about]) => {
    const all = judged.filter((one) => one.claim === claim);
    const ids = all.map(({ of }) => of);
    const heldAgainst = (verdict: Verdict): string[] =>
      all.filter((one) => one.verdict === verdict).map(({ of }) => of);
    return {
      claim,
      about: about === "cells" && areLengths(record, ids) ? "lengths" : about,
      upheld: heldAgainst("upheld"),
      refuted: heldAgainst("refuted"),
      inconclusive: heldAgainst("inconclusive"),
      void: heldAgainst("void"),
    };
  });
}

function areLengths({ cells }: ResultRecord, ids: readonly string[]): boolean {
  const found = cells.filter(({ id }) => ids.includes(id));
  return (
    found.length > 0 &&
    new Set(found.map(({ generator }) => generator)).size === 1 &&
    new Set(found.map(({ tokens }) => tokens)).size === ids.length
  );
}

function inWords(claim: ClaimResult): string {
  const name = modeNames[claim.treatment];
  const limit = inUnitOf(claim, claim.limit);
  switch (claim.metric) {
    case "overhead":
    case "absoluteCost":
      return `${name} costs less than ${limit}`;
    case "difference":
      return claim.treatment === "control"
        ? `generate() differs from itself by less than ${limit}`
        : `${name} differs from generate() by less than ${limit}`;
    default:
      return claim.metric satisfies never;
  }
}
