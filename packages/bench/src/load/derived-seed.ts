/** Kinds of draws of a load, which have nothing in common. */
export type DrawKind = "arrivals" | "requests";

/** The largest seed of a load: the derived ones stay exact integers. */
export const largestSeed: number = 2 ** 31 - 1;

const indices = 2 ** 20;

/**
 * The seed of one draw of a load. It depends on nothing else, so that a request is the same
 * whichever shard makes it.
 *
 * @param index of the stage or of the arrival; after 2²⁰ of them the seeds repeat
 */
export function derivedSeed(seed: number, kind: DrawKind, index: number): number {
  return (2 * seed + (kind === "arrivals" ? 1 : 0)) * indices + (index % indices);
}
