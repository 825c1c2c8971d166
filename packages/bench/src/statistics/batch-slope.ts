import studentQuantile from "@stdlib/stats-base-dists-t-quantile";
import type { Estimate, Interval } from "../record/index.js";
import { mean, requireSamples } from "./descriptive.js";

/** A value at a position, such as bytes after so many streams. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The slope of a line through values that were taken one after the other, each
 * like the one before. Such values are not independent, and ordinary least
 * squares would believe in them too much. So the points are cut into batches of
 * neighbours, whose means are nearly independent when batches are long, and the
 * line is fitted to these: slope ± t · standard error, with `batches` − 2 degrees
 * of freedom (batch means, Conway 1963; here for a trend).
 *
 * @param points in order of `x`; what does not fill a batch is left out at the start
 * @throws RangeError with fewer than three batches, or fewer points than batches
 */
export function batchSlope(points: readonly Point[], batches: number): Estimate {
  requireSamples({ length: batches }, 3);
  requireSamples(points, batches);
  const size = Math.floor(points.length / batches);
  const first = points.length - size * batches;
  const means = Array.from({ length: batches }, (_, batch) => {
    const members = points.slice(first + batch * size, first + (batch + 1) * size);
    return { x: mean(members.map(({ x }) => x)), y: mean(members.map(({ y }) => y)) };
  });
  const center = { x: mean(means.map(({ x }) => x)), y: mean(means.map(({ y }) => y)) };
  const sum = (term: (point: Point) => number): number =>
    means.reduce((total, point) => total + term(point), 0);
  const spread = sum(({ x }) => (x - center.x) ** 2);
  const value = sum(({ x, y }) => (x - center.x) * (y - center.y)) / spread;
  const residue = sum(({ x, y }) => (y - center.y - value * (x - center.x)) ** 2);
  const standardError = Math.sqrt(residue / (batches - 2) / spread);
  const around = (tail: number): Interval => {
    const reach = studentQuantile(1 - tail, batches - 2) * standardError;
    return { lower: value - reach, upper: value + reach };
  };
  return { value, interval95: around(0.025), bounds95: around(0.05) };
}
