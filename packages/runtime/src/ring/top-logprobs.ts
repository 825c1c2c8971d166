import type { TokenLogprob } from "@streamgauge/core";

/**
 * A token's likeliest ids with their log-probabilities, as UTF-16 code units, so
 * that they cross the ring behind the token's text and in as many slots as it
 * takes: two units for an id, four for a float64.
 */
export const unitsPerTopLogprob = 6;

/** The flags of a slot have eight bits for how many there are. */
const mostTopLogprobs = 255;

const halves = new Uint16Array(4);
const words = new Int32Array(halves.buffer);
const doubles = new Float64Array(halves.buffer);

/** @throws RangeError for more than 255 */
export function encodeTopLogprobs(topLogprobs: readonly TokenLogprob[]): string {
  if (topLogprobs.length > mostTopLogprobs) {
    throw new RangeError(
      `A token has ${topLogprobs.length} topLogprobs; the ring carries ${mostTopLogprobs}.`,
    );
  }
  let units = "";
  for (const { id, logprob } of topLogprobs) {
    words[0] = id;
    units += String.fromCharCode(halves[0] ?? 0, halves[1] ?? 0);
    doubles[0] = logprob;
    units += String.fromCharCode(...halves);
  }
  return units;
}

/** The inverse of {@link encodeTopLogprobs}. */
export function decodeTopLogprobs(units: string): readonly TokenLogprob[] {
  const topLogprobs: TokenLogprob[] = [];
  for (let from = 0; from < units.length; from += unitsPerTopLogprob) {
    readUnits(units, from, 2);
    const id = words[0] ?? 0;
    readUnits(units, from + 2, 4);
    topLogprobs.push({ id, logprob: doubles[0] ?? Number.NaN });
  }
  return topLogprobs;
}

function readUnits(units: string, from: number, count: number): void {
  for (let unit = 0; unit < count; unit++) halves[unit] = units.charCodeAt(from + unit);
}
