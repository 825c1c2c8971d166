import { createDraw } from "../statistics/draw.js";

/**
 * A Williams design for `count` treatments (Williams 1949): over its rows each
 * treatment comes equally often in each position and follows each other
 * treatment equally often, so that neither the position nor what ran before
 * favours one of them. An even count needs as many rows as there are
 * treatments; an odd one twice as many, the mirrored rows too.
 *
 * The first row goes to and fro (0, 1, n − 1, 2, n − 2, …), so that the steps
 * between neighbours are all different; each further row adds one to all.
 */
export function williamsDesign(count: number): readonly (readonly number[])[] {
  const first = Array.from({ length: count }, (_, position) =>
    position % 2 === 1 ? (position + 1) / 2 : (count - position / 2) % count,
  );
  const square = first.map((_, shift) => first.map((treatment) => (treatment + shift) % count));
  return count % 2 === 0 ? square : [...square, ...square.map((row) => row.toReversed())];
}

/**
 * Orders of treatments for one block after the other, without end. As many
 * blocks in a row as {@link williamsDesign} has rows use each row once; which
 * comes when is drawn.
 *
 * @param seed an integer; the same seed gives the same orders
 * @throws RangeError for no treatments, at the first order: there is none to give
 */
export function* blockOrders<T>(
  treatments: readonly T[],
  seed: number,
): Generator<readonly T[], never, undefined> {
  if (treatments.length === 0) throw new RangeError("Orders need at least one treatment.");
  const draw = createDraw(seed);
  const design = williamsDesign(treatments.length);
  for (;;) {
    for (const row of draw.shuffle(design)) {
      yield row.map((position) => treatments[position] as T);
    }
  }
}
