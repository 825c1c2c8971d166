import normalCumulative from "@stdlib/stats-base-dists-normal-cdf";
import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";
import type { Interval } from "../record/index.js";
import { mean } from "./descriptive.js";

/** What the bootstrap and the jackknife made of one statistic. */
export interface Bootstrap {
  /** The statistic of the samples themselves. */
  readonly estimate: number;
  /** The statistic of each resample, in any order; at least one. */
  readonly replicates: Float64Array;
  /** By stratum: the statistic with each of its samples left out in turn. */
  readonly jackknife: readonly (readonly number[])[];
}

/**
 * z₀ = Φ⁻¹(share of replicates below the estimate): how far the estimate sits
 * from the median of its replicates. A tie counts half, because replicates of a
 * percentile are often equal to it.
 */
export function biasCorrection({ estimate, replicates }: Bootstrap): number {
  let below = 0;
  for (const replicate of replicates) {
    if (replicate < estimate) below += 1;
    else if (replicate === estimate) below += 0.5;
  }
  // With all replicates on one side, the quantile of 0 or 1 would be infinite.
  const kept = Math.min(Math.max(below, 0.5), replicates.length - 0.5);
  return normalQuantile(kept / replicates.length, 0, 1);
}

/**
 * a = Σu³ / (6 (Σu²)^1.5) over all strata, u = (n − 1)/n · (jackknife mean − value)
 * within a stratum of n samples: how fast the standard error changes with the
 * statistic (Efron 1987; for several samples Davison and Hinkley 1997, "Bootstrap
 * Methods and their Application", section 5.3). 0 where nothing varies.
 */
export function acceleration({ jackknife }: Pick<Bootstrap, "jackknife">): number {
  let cubes = 0;
  let squares = 0;
  for (const values of jackknife) {
    if (values.length === 0) continue;
    const center = mean(values);
    const share = (values.length - 1) / values.length;
    for (const value of values) {
      const influence = share * (center - value);
      cubes += influence ** 3;
      squares += influence ** 2;
    }
  }
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}

/**
 * The bias-corrected and accelerated bootstrap interval: the replicates' quantiles at
 * Φ(z₀ + (z₀ + z)/(1 − a(z₀ + z))) for z = ± Φ⁻¹(tail), rank ⌊(B + 1)p⌋ from the
 * nearer end (Efron and Tibshirani 1993, "An Introduction to the Bootstrap",
 * section 14.3).
 *
 * @param tail probability to miss on each side, between 0 and 0.5
 */
export function bcaInterval(bootstrap: Bootstrap, tail: number): Interval {
  const sorted = bootstrap.replicates.toSorted();
  const bias = biasCorrection(bootstrap);
  const slope = acceleration(bootstrap);
  const shareBelow = (z: number): number => {
    const shrink = 1 - slope * (bias + z);
    // Past the pole the formula turns round; the quantile meant is the outermost.
    if (shrink <= 0) return z < 0 ? 0 : 1;
    return normalCumulative(bias + (bias + z) / shrink, 0, 1);
  };
  const reach = normalQuantile(1 - tail, 0, 1);
  return {
    lower: quantileOfSorted(sorted, shareBelow(-reach)),
    upper: quantileOfSorted(sorted, shareBelow(reach)),
  };
}

function quantileOfSorted(sorted: Float64Array, share: number): number {
  const places = sorted.length + 1;
  const rank =
    share <= 0.5 ? Math.floor(places * share) : places - Math.floor(places * (1 - share));
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] as number;
}
