import normalCumulative from "@stdlib/stats-base-dists-normal-cdf";
import normalDensity from "@stdlib/stats-base-dists-normal-pdf";
import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";

/**
 * How the error that a series of looks may make is spread over them.
 *
 * - `obrien-fleming` keeps nearly all of it for the last look: the full number
 *   of samples decides almost as if nobody had looked before;
 * - `pocock` spends it evenly: clear cases stop early, close ones need more samples.
 */
export type SpendingFunction = "obrien-fleming" | "pocock";

/** When to look, fixed before the first sample is taken. */
export interface SequentialPlan {
  /** Numbers of samples, ascending; the last one is the cap. */
  readonly looks: readonly number[];
  readonly spending: SpendingFunction;
  /** One-sided error of all looks together: 0.05 for the bench's verdicts. */
  readonly alpha: number;
}

/** One look of a plan. */
export interface SequentialLook {
  /** How many samples there are when it comes. */
  readonly samples: number;
  /** Error spent up to and including this look. */
  readonly spent: number;
  /** The statistic must be farther out than this to decide, in standard errors. */
  readonly critical: number;
  /** The critical value as a one-sided level: a bound at this look may miss so often. */
  readonly tail: number;
}

/**
 * The error spent when a fraction of all samples is there (Lan and DeMets 1983):
 * 2 − 2Φ(z(α/2) / √fraction), or α ln(1 + (e − 1) · fraction).
 *
 * @param fraction above 0, at most 1
 */
export function spentAlpha(spending: SpendingFunction, fraction: number, alpha: number): number {
  if (spending === "pocock") return alpha * Math.log1p((Math.E - 1) * fraction);
  return 2 * normalCumulative(normalQuantile(alpha / 2, 0, 1) / Math.sqrt(fraction), 0, 1);
}

/**
 * The boundaries of a plan, by numerical integration over the paths that no
 * earlier look has stopped (Armitage, McPherson and Rowe 1969; Jennison and
 * Turnbull 2000, "Group Sequential Methods", chapter 19). They are made for
 * normal scores with independent increments; used as levels of a t or a
 * signed-rank test they hold well for other samples too (same book, section 3.8).
 *
 * Where a plan is stopped in two directions, each direction has its own α: its
 * boundary is the same as if the other were not there, which can only waste.
 *
 * @throws RangeError unless the looks are positive, whole and ascending
 */
export function sequentialLooks({ looks, spending, alpha }: SequentialPlan): SequentialLook[] {
  const cap = looks.at(-1) ?? 0;
  let paths: Paths = { time: 0, scores: [0], masses: [1] };
  let spentBefore = 0;
  return looks.map((samples, index) => {
    if (!Number.isInteger(samples) || samples <= (looks[index - 1] ?? 0)) {
      throw new RangeError(`Looks must be whole numbers that rise; they are ${looks.join(", ")}.`);
    }
    const time = samples / cap;
    const spent = spentAlpha(spending, time, alpha);
    const critical = criticalValue(paths, time, spent - spentBefore);
    paths = advance(paths, time, critical);
    spentBefore = spent;
    return { samples, spent, critical, tail: normalCumulative(-critical, 0, 1) };
  });
}

/**
 * Where the paths still under way are: a Brownian motion's position at `time`
 * (a fraction of all information), as masses at grid points.
 */
interface Paths {
  readonly time: number;
  readonly scores: readonly number[];
  readonly masses: readonly number[];
}

/** Farther out than this many standard deviations no path of any weight is. */
const horizon = 8;

/** Grid points per standard deviation of a step. Simpson's rule then is good to six digits. */
const resolution = 12;

/** The critical value that lets so much of the paths through. */
function criticalValue(paths: Paths, time: number, probability: number): number {
  let low = -horizon;
  let high = 5 * horizon;
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (crossing(paths, time, middle) > probability) low = middle;
    else high = middle;
  }
  return high;
}

function crossing(paths: Paths, time: number, critical: number): number {
  const boundary = critical * Math.sqrt(time);
  const deviation = Math.sqrt(time - paths.time);
  return paths.scores.reduce(
    (sum, score, index) =>
      sum + (paths.masses[index] as number) * normalCumulative(score - boundary, 0, deviation),
    0,
  );
}

/** The paths that stay below the boundary at `time`. */
function advance(paths: Paths, time: number, critical: number): Paths {
  const top = Math.min(critical, horizon) * Math.sqrt(time);
  const bottom = -horizon * Math.sqrt(time);
  const deviation = Math.sqrt(time - paths.time);
  const intervals = 2 * Math.ceil(((top - bottom) / deviation) * (resolution / 2));
  const width = (top - bottom) / intervals;
  const density = normalDensity.factory(0, deviation);
  const scores = Array.from({ length: intervals + 1 }, (_, index) => bottom + index * width);
  const masses = scores.map((score, index) => {
    const weight = index === 0 || index === intervals ? 1 : index % 2 === 1 ? 4 : 2;
    const height = paths.scores.reduce(
      (sum, from, origin) => sum + (paths.masses[origin] as number) * density(score - from),
      0,
    );
    return (weight * width * height) / 3;
  });
  return { time, scores, masses };
}
