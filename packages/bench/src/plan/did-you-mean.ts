import { distance } from "fastest-levenshtein";

/** Letters that may be wrong in a name, as a share of its length. */
const wrongLetters = 0.4;

/**
 * A sentence that asks for the known name which is nearest to a misspelt one; empty where none is
 * near. It begins with a space, to follow another sentence.
 */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = known
    .map((candidate) => ({
      candidate,
      away: distance(name.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ candidate, away }) => away <= wrongLetters * Math.max(name.length, candidate.length))
    .toSorted((first, second) => first.away - second.away)[0];
  return nearest === undefined ? "" : ` Did you mean "${nearest.candidate}"?`;
}
