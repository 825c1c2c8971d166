/** What tools print of samples. */
export interface SampleStatistics {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly p99: number;
  /** Of a population (divided by n). */
  readonly standardDeviation: number;
  /** Interpolated linearly between neighbours, as numpy does by default; 0 to 100. */
  readonly percentile: (percent: number) => number;
}

/** Statistics of samples in any unit; undefined without a sample. */
export function sampleStatistics(samples: readonly number[]): SampleStatistics | undefined {
  if (samples.length === 0) return undefined;
  const sorted = samples.toSorted((first, second) => first - second);
  const sum = sorted.reduce((total, sample) => total + sample, 0);
  const mean = sum / sorted.length;
  const squares = sorted.reduce((total, sample) => total + (sample - mean) ** 2, 0);
  const percentile = (percent: number): number => {
    const position = (percent / 100) * (sorted.length - 1);
    const below = sorted[Math.floor(position)] ?? Number.NaN;
    const above = sorted[Math.ceil(position)] ?? Number.NaN;
    return below + (above - below) * (position - Math.floor(position));
  };
  return {
    count: sorted.length,
    sum,
    mean,
    median: percentile(50),
    minimum: percentile(0),
    maximum: percentile(100),
    p99: percentile(99),
    standardDeviation: Math.sqrt(squares / sorted.length),
    percentile,
  };
}
