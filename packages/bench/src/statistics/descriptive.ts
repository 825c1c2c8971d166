/** The arithmetic mean. @throws RangeError without values */
export function mean(values: readonly number[]): number {
  requireSamples(values, 1);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample standard deviation (n − 1). @throws RangeError with fewer than two values */
export function standardDeviation(values: readonly number[]): number {
  requireSamples(values, 2);
  return Math.sqrt(sumOfSquares(values) / (values.length - 1));
}

/** Σ (x − x̄)². @throws RangeError without values */
export function sumOfSquares(values: readonly number[]): number {
  const center = mean(values);
  return values.reduce((sum, value) => sum + (value - center) ** 2, 0);
}

/** m₃ / m₂^1.5, of moments around the mean; 0 where all values are equal. @throws RangeError without values */
export function sampleSkewness(values: readonly number[]): number {
  const center = mean(values);
  const second = sumOfSquares(values) / values.length;
  const third = values.reduce((sum, value) => sum + (value - center) ** 3, 0) / values.length;
  return second === 0 ? 0 : third / second ** 1.5;
}

/** The middle value, or the mean of the two in the middle. @throws RangeError without values */
export function median(values: readonly number[]): number {
  requireSamples(values, 1);
  return medianOfSorted(values.toSorted(ascending));
}

/** The median of values that are sorted already, of which there is at least one. */
export function medianOfSorted(sorted: ArrayLike<number>): number {
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/**
 * The smallest value that at least `percent` % of the values do not exceed
 * (nearest rank): always a value that was measured.
 *
 * @throws RangeError without values
 */
export function percentile(values: readonly number[], percent: number): number {
  requireSamples(values, 1);
  return values.toSorted(ascending)[nearestRank(percent, values.length) - 1] as number;
}

/** The rank, from 1, of {@link percentile} among `count` sorted values. */
export function nearestRank(percent: number, count: number): number {
  // The product of 99.9 and 10 is a hair above 999: what is so close to a rank is that rank.
  return Math.max(1, Math.ceil((percent * count) / 100 - 1e-9));
}

/** For sorting numbers. */
export function ascending(first: number, second: number): number {
  return first - second;
}

/** @throws RangeError with fewer than `fewest` values */
export function requireSamples(values: ArrayLike<unknown>, fewest: number): void {
  if (values.length < fewest) {
    throw new RangeError(`This statistic needs ${fewest} samples; there are ${values.length}.`);
  }
}
