import { createDraw } from "../statistics/draw.js";

/**
 * The moments of a Poisson process, in nanoseconds after its beginning, without
 * end. The gaps between them are exponential, −ln(1 − U) / rate with U uniform
 * in [0, 1), so that users who know nothing of one another come in bunches, as
 * they do.
 *
 * @param seed an integer; the same seed gives the same arrivals, and another
 *   rate the same ones, closer together
 * @param arrivalsPerSecond on average, above 0
 * @throws RangeError for a rate that is not above 0
 */
export function* poissonArrivals(
  seed: number,
  arrivalsPerSecond: number,
): Generator<number, never, undefined> {
  if (!(arrivalsPerSecond > 0)) {
    throw new RangeError(`The rate is ${arrivalsPerSecond} per second; it must be above 0.`);
  }
  const draw = createDraw(seed);
  let nanoseconds = 0;
  for (;;) {
    nanoseconds += (-Math.log1p(-draw.fraction()) / arrivalsPerSecond) * 1e9;
    yield nanoseconds;
  }
}
