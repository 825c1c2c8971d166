import type {
  ClaimResult,
  EngineClaim,
  EngineMeasurement,
  ResultRecord,
  Verdict,
} from "../record/index.js";
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
        claim: `${transportInWords(transport)} takes less than ${share(limit)} of the CPU time of ${against}`,
        about: "loads" as const,
        of: describeLoad(measured),
        verdict,
      })),
    ),
    ...engine.flatMap((measured) =>
      measured.claims.map((claim) => ({
        claim: `${engineClaim(measured, claim)} (${measured.title})`,
        about: "measurements" as const,
        of: measured.id,
        verdict: claim.verdict,
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
      return `${name} adds less than ${limit}`;
    case "difference":
      return claim.treatment === "control"
        ? `generate(), measured twice, differs by less than ${limit}`
        : `${name} differs from generate() by less than ${limit}`;
    default:
      return claim.metric satisfies never;
  }
}

/** How the reader of a ring is woken, by the transport's name. */
const ringsInWords: Readonly<Record<string, string>> = {
  ring: "a ring buffer with Atomics.waitAsync",
  "ring, message": "a ring buffer with wake-ups by message",
  "ring, block": "a ring buffer whose reader blocks",
};

function transportInWords(name: string): string {
  return ringsInWords[name] ?? name;
}

/** The clause that a limit on a ratio of values stands for. */
function engineClaim(
  { unit, contenders }: Pick<EngineMeasurement, "unit" | "contenders">,
  { contender, against, limit }: Pick<EngineClaim, "contender" | "against" | "limit">,
): string {
  const isRate = contenders.some(({ tokensPerSecond }) => tokensPerSecond !== null);
  const [one, other] = [quotedPhrase(contender), quotedPhrase(against)];
  const what = unit === "MiB" ? "memory" : "time";
  if (isRate && limit === 1) return `${one} makes at least as many tokens/s as ${other}`;
  if (isRate && limit < 1) {
    const times = Number((1 / limit).toFixed(2));
    return `${one} makes at least ${times} times the tokens/s of ${other}`;
  }
  if (limit === 1) return `${one} takes no more ${what} than ${other}`;
  return `${one} takes at most ${share(limit)} of the ${what} of ${other}`;
}

/** A name of several words, so that it does not read as part of a sentence. */
function quotedPhrase(name: string): string {
  return name.includes(" ") ? `"${name}"` : name;
}

function share(fraction: number): string {
  return `${Number((fraction * 100).toFixed(1))} %`;
}
