import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Draws from one seed: the same seed gives the same draws in the same order. */
export interface Draw {
  /** An integer from `lowest` to `highest`, both included. */
  integer(lowest: number, highest: number): number;
  pick<T>(values: readonly T[]): T;
  /** True in this share of the draws. */
  chance(share: number): boolean;
  /** The same values in an order that is drawn. */
  shuffle<T>(values: readonly T[]): T[];
}

/** @param seed a 32-bit integer */
export function createDraw(seed: number): Draw {
  const generator = xoroshiro128plus(seed);
  const integer = (lowest: number, highest: number): number =>
    uniformInt(generator, lowest, highest);
  return {
    integer,
    pick: <T>(values: readonly T[]) => values[integer(0, values.length - 1)] as T,
    chance: (share) => uniformFloat64(generator) < share,
    shuffle<T>(values: readonly T[]) {
      const shuffled = [...values];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
      }
      return shuffled;
    },
  };
}
