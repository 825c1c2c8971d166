import type { Estimates, Interval } from "../record/index.js";

/** Both estimators' bounds at one level. */
export interface BothBounds {
  readonly hodgesLehmann: Interval;
  readonly mean: Interval;
}

/** The one-sided 95 % bounds of both. */
export function bounds95Of({ hodgesLehmann, mean }: Estimates): BothBounds {
  return { hodgesLehmann: hodgesLehmann.bounds95, mean: mean.bounds95 };
}

/**
 * How large a systematic error may be that a control leaves room for: the bound that is
 * farthest from no difference.
 *
 * @param control around 0: of differences, or of logarithms of ratios
 */
export function budgetOf(control: BothBounds): number {
  return Math.max(
    ...[control.hodgesLehmann, control.mean].flatMap(({ lower, upper }) => [
      Math.abs(lower),
      Math.abs(upper),
    ]),
  );
}

/**
 * Whether both intervals of a control exclude that there is no difference.
 *
 * @param none 0 of differences, 1 of ratios
 */
export function excludes({ hodgesLehmann, mean }: BothBounds, none: number): boolean {
  return [hodgesLehmann, mean].every(({ lower, upper }) => lower > none || upper < none);
}

/** The two-sided 95 % intervals of both. */
export function intervals95Of({ hodgesLehmann, mean }: Estimates): BothBounds {
  return { hodgesLehmann: hodgesLehmann.interval95, mean: mean.interval95 };
}

/** Bounds on another scale. `scale` must be increasing. */
export function scaleBounds(
  { hodgesLehmann, mean }: BothBounds,
  scale: (value: number) => number,
): BothBounds {
  const both = ({ lower, upper }: Interval): Interval => ({
    lower: scale(lower),
    upper: scale(upper),
  });
  return { hodgesLehmann: both(hodgesLehmann), mean: both(mean) };
}

/** Both, with what sentences call them. */
export function named<Of>({
  hodgesLehmann,
  mean,
}: {
  readonly hodgesLehmann: Of;
  readonly mean: Of;
}): [string, Of][] {
  return [
    ["Hodges–Lehmann estimate", hodgesLehmann],
    ["mean", mean],
  ];
}

/**
 * On which side of a limit a quantity surely is, with room for a systematic error on top of
 * the bounds of both estimators. Limit, bounds and budget are on one scale.
 */
export function sideOf(
  { hodgesLehmann, mean }: BothBounds,
  limit: number,
  budget: number,
): "upheld" | "refuted" | "undecided" {
  const both = [hodgesLehmann, mean];
  if (both.every(({ upper }) => upper + budget < limit)) return "upheld";
  return both.every(({ lower }) => lower - budget > limit) ? "refuted" : "undecided";
}
