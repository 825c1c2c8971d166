import type { ClaimResult, Verdict } from "@streamgauge/bench/record";
import { inUnitOf } from "@streamgauge/bench/tables";
import { lacks, type Figure, type FigureRequest } from "../figure.js";

/** What became of claims. Prose that quotes these stays true when a verdict changes. */
export const claimFigures: Readonly<Record<string, Figure>> = {
  verdicts: {
    about: "the verdicts on a claim in all its cells, as a clause",
    form: "text",
    needs: ["claim"],
    render: (request) => verdictsClause(request, claimsOf(request)),
  },
  limit: {
    about: "the limit of a claim",
    form: "text",
    needs: ["claim"],
    render: (request) => {
      const [first] = claimsOf(request);
      return inUnitOf(first, first.limit);
    },
  },
};

const verdictOrder: readonly Verdict[] = ["upheld", "refuted", "inconclusive", "void"];

/** "upheld at 10 and 1000 tokens, void at 50 tokens". */
export function verdictsClause(
  { record }: Pick<FigureRequest, "record">,
  claims: readonly ClaimResult[],
): string {
  return verdictOrder
    .flatMap((verdict) => {
      const where = claims
        .filter((claim) => claim.verdict === verdict)
        .map(({ cell: id }) => record.cells.find((cell) => cell.id === id)?.tokens)
        .map((tokens) => String(tokens ?? "?"));
      return where.length === 0 ? [] : [`${verdict} at ${listOf(where)} tokens`];
    })
    .join(", ");
}

/** "10", "10 and 50", "10, 50 and 100". */
export function listOf(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

function claimsOf(request: FigureRequest): [ClaimResult, ...ClaimResult[]] {
  const id = request.value("claim");
  const { claims } = request.record;
  const [first, ...rest] = claims.filter((claim) => claim.id === id);
  const there = [...new Set(claims.map((claim) => claim.id))];
  return first === undefined ? lacks(request, `claim ${id}`, there) : [first, ...rest];
}
