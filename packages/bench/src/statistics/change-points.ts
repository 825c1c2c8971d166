import { mean } from "./descriptive.js";
import { createDraw, type Draw } from "./draw.js";
import { likeliestShift, type LevelShift } from "./level-shift.js";

export interface ChangePointOptions {
  /** Draws the series that a change is compared with; the same seed finds the same points. */
  readonly seed: number;
  /** How many. Default: 499. */
  readonly resamples?: number;
  /** A step is believed up to this p-value. Default: 0.02. A level that comes back: a quarter of it. */
  readonly significance?: number;
  /** Fewest values on each side of a change. Default: 3. */
  readonly smallestSegment?: number;
}

/** Fewest values on each side of a change, unless others are asked for. */
export const defaultSmallestSegment = 3;

/** A place from which on the level of values is another. */
export interface ChangePoint {
  /** Index of the first value of the new level. */
  readonly index: number;
  /** Share of series without a change, the series itself among them, that look as much like one. */
  readonly significance: number;
}

/**
 * Where the level of a series changes, also where neighbours correlate.
 *
 * The series is cut at its likeliest step (see {@link likeliestShift}), if few series without a step
 * would show as likely a one, and then its parts are cut in turn (binary segmentation, Scott and Knott
 * 1974). Where no step is believed, a level that comes back is tried, as in circular binary
 * segmentation (Olshen, Venkatraman, Lucito and Wigler 2004). Otherwise a regression that was mended
 * would hide itself.
 *
 * Series without a change are drawn by an AR(1) bootstrap: innovations of the series, with the shift
 * taken out, at drawn places, joined by a correlation φ (Bühlmann 1997, "Sieve bootstrap for time
 * series"). Permutations have no correlation, and take each drift for a change. For a step φ is half way
 * between the estimates with it taken out and left in, for a stretch the one with it left in. The gain
 * of a shift depends little on φ, so that estimates from thirty values do. The choice is one of
 * simulation: `change-points.test.ts`, decision 21.
 *
 * @returns in the order of the series
 */
export function changePoints(
  values: readonly number[],
  {
    seed,
    resamples = 499,
    significance = 0.02,
    smallestSegment = defaultSmallestSegment,
  }: ChangePointOptions,
): ChangePoint[] {
  if (smallestSegment < 2) throw new RangeError("A segment needs at least two values.");
  const draw = createDraw(seed);
  const search = (start: number, end: number): ChangePoint[] => {
    const part = values.slice(start, end);
    for (const [kind, highest] of [
      ["step", significance],
      ["stretch", significance / 4],
    ] as const) {
      const gainOf = (series: readonly number[]) => likeliestShift(series, kind, smallestSegment);
      const shift = gainOf(part);
      if (shift === undefined) continue;
      const { correlation: least, correlationWithout: most } = shift;
      const share = shareAsLarge(part, shift, {
        draw,
        resamples,
        correlation: kind === "step" ? (least + most) / 2 : most,
        highest,
        gainOf: (series) => gainOf(series)?.gain ?? 0,
      });
      if (share > highest) continue;
      const cuts = [shift.from, shift.to].map((at) => start + at).filter((at) => at < end);
      const ends = [...cuts, end];
      return [
        ...search(start, ends[0] as number),
        ...cuts.flatMap((index, at) => [
          { index, significance: share },
          ...search(index, ends[at + 1] as number),
        ]),
      ];
    }
    return [];
  };
  return search(0, values.length);
}

/** Values that are drawn and thrown away, until the beginning is forgotten: 0.95⁶⁰ = 0.05. */
const forgotten = 60;

/**
 * The share of series without a shift that gain as much by one; 1 as soon as it is sure to be above
 * `highest`, which saves most of the draws.
 */
function shareAsLarge(
  values: readonly number[],
  shift: LevelShift,
  {
    draw,
    resamples,
    correlation,
    highest,
    gainOf,
  }: {
    readonly draw: Draw;
    readonly resamples: number;
    readonly correlation: number;
    readonly highest: number;
    readonly gainOf: (series: readonly number[]) => number;
  },
): number {
  const { length } = values;
  const innovations = innovationsOf(values, shift, correlation);
  let asLarge = 1;
  for (let resample = 0; resample < resamples; resample += 1) {
    let value = 0;
    const series: number[] = [];
    for (let at = -forgotten; at < length; at += 1) {
      value = correlation * value + draw.pick(innovations);
      if (at >= 0) series.push(value);
    }
    if (gainOf(series) >= shift.gain) asLarge += 1;
    if (asLarge > highest * (resamples + 1)) return 1;
  }
  return asLarge / (resamples + 1);
}

/** What of each value neither the levels nor the value before explain, around 0. */
function innovationsOf(
  values: readonly number[],
  { from, to }: LevelShift,
  correlation: number,
): readonly number[] {
  const isShifted = (at: number): boolean => from <= at && at < to;
  const shifted = mean(values.slice(from, to));
  const usual = mean(values.filter((_, at) => !isShifted(at)));
  const rests = values.map((value, at) => value - (isShifted(at) ? shifted : usual));
  const innovations = rests.slice(1).map((rest, at) => rest - correlation * (rests[at] as number));
  const center = mean(innovations);
  return innovations.map((innovation) => innovation - center);
}
