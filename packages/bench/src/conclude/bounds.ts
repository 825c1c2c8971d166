import type { Estimate, Estimates } from "../record/index.js";

/** Decides on which side of a limit a quantity is, by the one-sided 95 % bounds of both estimators. */
export function compareWithLimit(
  { hodgesLehmann, mean }: Estimates,
  limit: number,
): "upheld" | "refuted" | "inconclusive" {
  const both = [hodgesLehmann.bounds95, mean.bounds95];
  if (both.every(({ upper }) => upper < limit)) return "upheld";
  return both.every(({ lower }) => lower > limit) ? "refuted" : "inconclusive";
}

/** Both estimates, with what sentences call them. */
export function named({ hodgesLehmann, mean }: Estimates): [string, Estimate][] {
  return [
    ["Hodges–Lehmann estimate", hodgesLehmann],
    ["mean", mean],
  ];
}
