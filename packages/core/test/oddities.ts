/** What seeded draws are held against. */
export interface Expectation {
  /** Draws are integers from 0, below this number. */
  readonly places: number;
  /** Seeds from 0. Default: 10,000. */
  readonly seeds?: number;
  /** Share of draws up to, and with, a place. Default: all places come equally often. */
  readonly cumulative?: (place: number) => number;
}

const lags = [1, 2, 3, 4];

/**
 * What is odd about draws: nothing, if each is distributed as it should be over all seeds
 * (Kolmogorov and Smirnov, at 1 %), and neither the draws of one seed nor the first draws of
 * neighbouring seeds have to do with each other (0.1 % each, for these are several). Seeds
 * are derived from others by adding to them, or by flipping their lowest bits.
 *
 * @param drawsOf one or more draws of a seed; of each seed as many
 */
export function oddities(
  drawsOf: (seed: number) => readonly number[],
  { places, seeds = 10_000, cumulative = (place) => (place + 1) / places }: Expectation,
): string[] {
  const columns: number[][] = [];
  for (let seed = 0; seed < seeds; seed += 1) {
    for (const [draw, place] of drawsOf(seed).entries()) (columns[draw] ??= []).push(place);
  }
  const found: string[] = [];
  const note = (what: string, value: number, atMost: number): void => {
    if (!(Math.abs(value) < atMost)) {
      found.push(`${what} ${value.toFixed(4)}, by chance ${atMost.toFixed(4)}`);
    }
  };
  for (const [draw, values] of columns.entries()) {
    note(
      `distance of draw ${draw}`,
      distance(values, places, cumulative),
      1.628 / Math.sqrt(seeds),
    );
    for (const [other, earlier] of columns.slice(0, draw).entries()) {
      note(
        `correlation of draws ${other} and ${draw}`,
        correlation(earlier, values),
        chance(seeds),
      );
    }
  }
  const first = columns[0] ?? [];
  for (const lag of lags) {
    const value = correlation(first.slice(0, -lag), first.slice(lag));
    note(`correlation of seeds ${lag} apart`, value, chance(seeds - lag));
  }
  return found;
}

/** Place of a number in [0, 1) among so many. */
export function placeOf(fraction: number, places: number): number {
  return Math.floor(fraction * places);
}

function chance(pairs: number): number {
  return 3.291 / Math.sqrt(pairs);
}

function distance(
  values: readonly number[],
  places: number,
  cumulative: (place: number) => number,
): number {
  const counts = new Float64Array(places);
  for (const place of values) counts[place]! += 1;
  let most = 0;
  let upTo = 0;
  for (const [place, count] of counts.entries()) {
    upTo += count;
    most = Math.max(most, Math.abs(upTo / values.length - cumulative(place)));
  }
  return most;
}

/** Pearson's; NaN where one of them is always the same. */
function correlation(first: readonly number[], second: readonly number[]): number {
  const meanOf = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [firstMean, secondMean] = [meanOf(first), meanOf(second)];
  let product = 0;
  let firstSquares = 0;
  let secondSquares = 0;
  for (const [index, value] of first.entries()) {
    const x = value - firstMean;
    const y = (second[index] ?? Number.NaN) - secondMean;
    product += x * y;
    firstSquares += x * x;
    secondSquares += y * y;
  }
  return product / Math.sqrt(firstSquares * secondSquares);
}
