import { spreadSeed } from "@streamgauge/core";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** Random draws: the same beginning gives the same draws in the same order. */
export interface Draw {
  /** In [0, 1), of 53 bits. */
  fraction(): number;
  /** An integer from `lowest` to `highest`, both included. */
  integer(lowest: number, highest: number): number;
  pick<T>(values: readonly T[]): T;
  /** True in this share of the draws. */
  chance(share: number): boolean;
  /** Returns the values in a drawn order. */
  shuffle<T>(values: readonly T[]): T[];
}

/**
 * Everything in this package that follows from a seed is drawn here.
 *
 * @param seed an integer; neighbours give draws that have nothing in common
 */
export function createDraw(seed: number): Draw {
  return drawFromState(spreadSeed(seed));
}

/** @param state of xoroshiro128+, four words of 32 bits as {@link spreadSeed} gives them */
export function drawFromState(state: readonly number[]): Draw {
  const generator = xoroshiro128plusFromState(state);
  const fraction = (): number => uniformFloat64(generator);
  const integer = (lowest: number, highest: number): number =>
    uniformInt(generator, lowest, highest);
  return {
    fraction,
    integer,
    pick: <T>(values: readonly T[]) => values[integer(0, values.length - 1)] as T,
    chance: (share) => fraction() < share,
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
