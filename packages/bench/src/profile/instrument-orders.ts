import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** A run without the instrument, the same again, and one with it. */
export type InstrumentState = "off" | "offAgain" | "on";

/**
 * All orders of three: each state comes in each position twice, and follows
 * each other state equally often.
 */
const allOrders: readonly (readonly InstrumentState[])[] = [
  ["off", "offAgain", "on"],
  ["off", "on", "offAgain"],
  ["offAgain", "off", "on"],
  ["offAgain", "on", "off"],
  ["on", "off", "offAgain"],
  ["on", "offAgain", "off"],
];

/**
 * Orders for one block after the other, without end. Each six blocks in a row
 * use each order once; which comes when is drawn.
 *
 * @param seed an integer; the same seed gives the same orders
 */
export function* instrumentOrders(
  seed: number,
): Generator<readonly InstrumentState[], never, undefined> {
  const random = xoroshiro128plus(seed);
  for (;;) {
    const left = [...allOrders];
    while (left.length > 0) {
      yield* left.splice(uniformInt(random, 0, left.length - 1), 1);
    }
  }
}
