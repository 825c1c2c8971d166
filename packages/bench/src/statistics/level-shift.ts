/** A level that differs from `from` up to, not including, `to`, in values that remember the one before. */
export interface LevelShift {
  readonly from: number;
  /** The number of values for a step, whose level stays. */
  readonly to: number;
  /** Twice the logarithm of how much likelier the values are with the shift than without. */
  readonly gain: number;
  /** The likeliest φ, 0 to 0.95, when the shift is taken out: smaller than the true one. */
  readonly correlation: number;
  /** The likeliest φ when it is left in: larger than the true one, where there is a shift. */
  readonly correlationWithout: number;
}

/** Negative correlation is taken for none: it raises no false alarms. */
const correlations = Array.from({ length: 20 }, (_, index) => index * 0.05);

/** What rounding can make of values that a shift explains wholly. */
const smallestRemainder = 1e-12;

/**
 * The likeliest shift, in a model that neighbours correlate in:
 *
 *   y(t) = level(t) + u(t),   u(t) = φ·u(t − 1) + e(t)
 *
 * The gain is n · ln(V₀ / V₁), with V the smallest over φ of the sum of e² · (1 − φ²)^(−1/n): the
 * exact Gaussian likelihood, its scale left out (Robbins, Gallagher, Lund and Aue 2011, "Mean shift
 * testing in correlated data", compare such tests). For each φ it is a regression on two columns, whose
 * sums go on from one place to the next.
 *
 * @param kind a step lasts to the end of the values; a stretch ends before it
 * @param smallest fewest values of either level, and after a stretch
 * @returns undefined where there is no room for one, all values are the same, or their squares overflow
 */
export function likeliestShift(
  values: readonly number[],
  kind: "step" | "stretch",
  smallest: number,
): LevelShift | undefined {
  const { length } = values;
  const [first = 0] = values;
  if (length < 2 * smallest || values.every((value) => value === first)) return undefined;
  let without = { remainder: Infinity, correlation: 0 };
  let best: { readonly remainder: number } & Omit<LevelShift, "gain" | "correlationWithout"> = {
    remainder: Infinity,
    from: 0,
    to: 0,
    correlation: 0,
  };
  for (const correlation of correlations) {
    const { remainder, explained, from, to } = fit(values, correlation, kind, smallest);
    const weight = (1 - correlation ** 2) ** (-1 / length);
    if (remainder * weight < without.remainder) {
      without = { remainder: remainder * weight, correlation };
    }
    const left = Math.max(remainder - explained, remainder * smallestRemainder) * weight;
    if (explained > 0 && left < best.remainder) best = { remainder: left, from, to, correlation };
  }
  if (best.to === 0) return undefined;
  const { remainder, ...shift } = best;
  const gain = length * Math.log(without.remainder / remainder);
  // Squares of huge values overflow.
  if (!Number.isFinite(gain)) return undefined;
  return { ...shift, correlationWithout: without.correlation, gain };
}

/** For one correlation: the sum of squares around one level, and what the best shift takes off it. */
function fit(
  values: readonly number[],
  correlation: number,
  kind: "step" | "stretch",
  smallest: number,
): { remainder: number; explained: number; from: number; to: number } {
  const { length } = values;
  const [first = 0] = values;
  // Each column less what the value before explains of it: e(t) of the values, and of a level of one.
  const inner = 1 - correlation;
  const outer = 1 - correlation ** 2;
  const innovations = new Float64Array(length);
  const sums = new Float64Array(length + 1);
  let squares = 0;
  for (let at = 1; at < length; at += 1) {
    // Relative to the first value: levels can be a million times the noise.
    const value = (values[at] as number) - first;
    const innovation = value - correlation * ((values[at - 1] as number) - first);
    innovations[at] = innovation;
    sums[at + 1] = (sums[at] as number) + innovation;
    squares += innovation ** 2;
  }
  const levelSquares = outer + (length - 1) * inner ** 2;
  const level = (inner * (sums[length] as number)) / levelSquares;
  const remainder = squares - level ** 2 * levelSquares;
  let best = { remainder, explained: 0, from: 0, to: 0 };
  for (let from = smallest; from <= length - smallest; from += 1) {
    const begun = innovations[from] as number;
    const isStep = kind === "step";
    const last = isStep ? length : length - smallest;
    for (let to = isStep ? length : from + smallest; to <= last; to += 1) {
      // A stretch's end takes off again what its values left to the next.
      const back = isStep ? 0 : correlation;
      const between = (sums[to] as number) - (sums[from + 1] as number);
      const count = to - from - 1;
      const withValues = begun + inner * between - back * (innovations[to] ?? 0);
      const withLevel = inner * (1 + inner * count - back);
      const own = 1 + inner ** 2 * count + back ** 2;
      const rest = own - withLevel ** 2 / levelSquares;
      const explained = (withValues - level * withLevel) ** 2 / rest;
      if (explained > best.explained) best = { remainder, explained, from, to };
    }
  }
  return best;
}
