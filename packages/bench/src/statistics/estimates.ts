import type { Estimate, Estimates, Interval } from "../record/index.js";
import { hodgesLehmann } from "./hodges-lehmann.js";
import { meanEstimate } from "./mean-estimate.js";

/** Both estimators over the same samples. @throws RangeError with fewer than six samples */
export function estimateBoth(samples: readonly number[]): Estimates {
  return { hodgesLehmann: hodgesLehmann(samples), mean: meanEstimate(samples) };
}

/** Puts both estimates on another scale. `scale` must be increasing, so that bounds stay bounds. */
export function rescale(estimates: Estimates, scale: (value: number) => number): Estimates {
  return {
    hodgesLehmann: rescaleOne(estimates.hodgesLehmann, scale),
    mean: rescaleOne(estimates.mean, scale),
  };
}

/** Puts one estimate on another scale. `scale` must be increasing. */
export function rescaleOne(
  { value, interval95, bounds95 }: Estimate,
  scale: (value: number) => number,
): Estimate {
  const interval = ({ lower, upper }: Interval): Interval => ({
    lower: scale(lower),
    upper: scale(upper),
  });
  return {
    value: scale(value),
    interval95: interval(interval95),
    bounds95: interval(bounds95),
  };
}

/**
 * Two one-sided tests at 5 % (Schuirmann 1987): whether the 90 % interval lies
 * strictly inside the margins.
 */
export function isEquivalent(estimate: Estimate, margins: Interval): boolean {
  return estimate.bounds95.lower > margins.lower && estimate.bounds95.upper < margins.upper;
}
