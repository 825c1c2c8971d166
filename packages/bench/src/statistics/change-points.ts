import { createDraw } from "./draw.js";

export interface ChangePointOptions {
  /** Draws the permutations; the same seed finds the same points. */
  readonly seed: number;
  /** How many. Default: 499. */
  readonly permutations?: number;
  /** A change is believed up to this p-value. Default: 0.01, for series are looked at often. */
  readonly significance?: number;
  /** Fewest values on each side of a change. Default: 3. */
  readonly smallestSegment?: number;
}

/** Fewest values on each side of a change, unless others are asked for. */
export const defaultSmallestSegment = 3;

/** A place from which on values are distributed otherwise than before. */
export interface ChangePoint {
  /** Index of the first value of the new kind. */
  readonly index: number;
  /** Share of permutations, the series itself among them, that look as much like a change. */
  readonly significance: number;
}

/**
 * E-divisive means (Matteson and James 2014, "A Nonparametric Approach for
 * Multiple Change Point Analysis of Multivariate Data", sections 2.2, 3.1 and 3.2,
 * with α = 1). The series is cut where the energy statistic
 *
 *   Q = mn / (m + n) · (2 / (mn) · Σ|x − y| − Σ|x − x′| / C(m, 2) − Σ|y − y′| / C(n, 2))
 *
 * of the m values before the cut and the n after it, up to any end, is largest;
 * the cut is kept if few permutations within the segments come as high, and then
 * the segments are cut in turn. The best cut of all segments is tested first, and
 * the search ends with the first that is not believed.
 *
 * Every value is compared with every other: meant for hundreds of values.
 *
 * @returns in the order of the series
 */
export function changePoints(
  values: readonly number[],
  {
    seed,
    permutations = 499,
    significance = 0.01,
    smallestSegment = defaultSmallestSegment,
  }: ChangePointOptions,
): ChangePoint[] {
  if (smallestSegment < 2) throw new RangeError("A segment needs at least two values.");
  const draw = createDraw(seed);
  const found: ChangePoint[] = [];
  for (;;) {
    const starts = [0, ...found.map(({ index }) => index).toSorted((a, b) => a - b)];
    const segments = starts.map((start, at) => ({
      start,
      values: values.slice(start, starts[at + 1] ?? values.length),
    }));
    const best = bestOf(segments, smallestSegment);
    if (best === undefined) break;
    let asLarge = 0;
    for (let permutation = 0; permutation < permutations; permutation += 1) {
      const shuffled = segments.map((segment) => ({
        ...segment,
        values: draw.shuffle(segment.values),
      }));
      const drawn = bestOf(shuffled, smallestSegment);
      // The sums can be equal and only added in another order: rounding must not make a difference.
      if (drawn !== undefined && drawn.energy >= best.energy * (1 - 1e-12)) asLarge += 1;
    }
    const share = (asLarge + 1) / (permutations + 1);
    if (share > significance) break;
    found.push({ index: best.index, significance: share });
  }
  return found.toSorted((first, second) => first.index - second.index);
}

interface Segment {
  readonly start: number;
  readonly values: readonly number[];
}

interface Cut {
  readonly index: number;
  readonly energy: number;
}

function bestOf(segments: readonly Segment[], smallest: number): Cut | undefined {
  let best: Cut | undefined;
  for (const { start, values } of segments) {
    const cut = bestCut(values, smallest);
    if (cut === undefined || (best !== undefined && cut.energy <= best.energy)) continue;
    best = { index: start + cut.index, energy: cut.energy };
  }
  return best;
}

/** Undefined for a segment that is too short, or whose values are all the same. */
function bestCut(values: readonly number[], smallest: number): Cut | undefined {
  const { length } = values;
  const sums = distanceSums(values);
  const width = length + 1;
  // The sum of |x − x′| over all ordered pairs of a rectangle of positions.
  const over = (top: number, bottom: number, left: number, right: number): number =>
    (sums[bottom * width + right] as number) -
    (sums[top * width + right] as number) -
    (sums[bottom * width + left] as number) +
    (sums[top * width + left] as number);
  let best: Cut = { index: 0, energy: 0 };
  for (let cut = smallest; cut <= length - smallest; cut += 1) {
    const before = over(0, cut, 0, cut) / (cut * (cut - 1));
    // Another change may follow: the values after the cut need not go on to the end.
    for (let end = cut + smallest; end <= length; end += 1) {
      const after = end - cut;
      const energy =
        ((cut * after) / end) *
        ((2 * over(0, cut, cut, end)) / (cut * after) -
          before -
          over(cut, end, cut, end) / (after * (after - 1)));
      if (energy > best.energy) best = { index: cut, energy };
    }
  }
  return best.index === 0 ? undefined : best;
}

/** At [i, j], in rows of length + 1: the sum of the distances of the first i values to the first j. */
function distanceSums(values: readonly number[]): Float64Array {
  const width = values.length + 1;
  const sums = new Float64Array(width * width);
  for (const [row, first] of values.entries()) {
    let inRow = 0;
    for (const [column, second] of values.entries()) {
      inRow += Math.abs(first - second);
      sums[(row + 1) * width + column + 1] = (sums[row * width + column + 1] as number) + inRow;
    }
  }
  return sums;
}
