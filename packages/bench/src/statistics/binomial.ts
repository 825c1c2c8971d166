import fQuantile from "@stdlib/stats-base-dists-f-quantile";
import type { Interval } from "../record/index.js";

/**
 * The exact 95 % interval of a share that was seen `count` times `of` so many
 * (Clopper and Pearson 1934), over quantiles of the F distribution. It covers the
 * true share at least as often as it says, with few observations too.
 */
export function binomialInterval95(count: number, of: number): Interval {
  const others = of - count;
  const below = count * fQuantile(0.025, 2 * count, 2 * (others + 1));
  const above = (count + 1) * fQuantile(0.975, 2 * (count + 1), 2 * others);
  return {
    lower: count === 0 ? 0 : below / (others + 1 + below),
    upper: others === 0 ? 1 : above / (others + above),
  };
}
