import type { Interval } from "../record/index.js";
import { hodgesLehmannBounds, minimumSamples } from "./hodges-lehmann.js";
import { meanBounds } from "./mean-estimate.js";

/** On which side of a limit samples lie; a claim "below it" is upheld by `below`. */
export type Side = "below" | "above" | "undecided";

/** What samples say about a limit, as far as the looks up to now can tell. */
export interface SequentialDecision<Planned> {
  readonly side: Side;
  /** The look that decided, else the last one that came; null before the first. */
  readonly look: Planned | null;
  /** What that look compared with the limit, each bound at the level `look.tail`. */
  readonly bounds: { readonly hodgesLehmann: Interval; readonly mean: Interval } | null;
}

/**
 * Decides three ways at pre-set looks, without paying for looking often: at each
 * look both estimators' one-sided bounds are taken at that look's own level, and
 * the first look at which both lie on one side of the limit decides for good.
 * With a true value on the limit, `below` comes out with a probability of at most
 * the plan's α in all, and so does `above`.
 *
 * A pure function of the samples in the order in which they were measured: with
 * more samples, or years later, earlier looks come out as they did. Samples
 * beyond the last look that came wait for the next.
 *
 * @param looks in order; `tail` is the level of their bounds, from `sequentialLooks`
 * @param limit in the unit of the samples: ln(1 + m) for log-ratios
 * @param samplesAt what there was to see at a look; undefined if it has not come.
 *   Nothing is decided with fewer than {@link minimumSamples}
 * @param budgetAt how far beyond the limit both bounds have to be at a look
 */
export function decideSequentially<Planned extends { readonly tail: number }>(
  looks: readonly Planned[],
  limit: number,
  samplesAt: (look: Planned) => readonly number[] | undefined,
  budgetAt: (look: Planned) => number = () => 0,
): SequentialDecision<Planned> {
  let last: SequentialDecision<Planned> = { side: "undecided", look: null, bounds: null };
  for (const look of looks) {
    const samples = samplesAt(look);
    if (samples === undefined) break;
    if (samples.length < minimumSamples) continue;
    const bounds = boundBoth(samples, look.tail);
    last = { side: sideOf(Object.values(bounds), limit, budgetAt(look)), look, bounds };
    if (last.side !== "undecided") break;
  }
  return last;
}

/** Both estimators' one-sided bounds at one level; infinite where samples exclude nothing at it. */
export function boundBoth(
  samples: readonly number[],
  tail: number,
): { readonly hodgesLehmann: Interval; readonly mean: Interval } {
  return {
    hodgesLehmann: hodgesLehmannBounds(samples, tail),
    mean: meanBounds(samples, tail),
  };
}

function sideOf(bounds: readonly Interval[], limit: number, budget: number): Side {
  if (bounds.every(({ upper }) => upper + budget < limit)) return "below";
  if (bounds.every(({ lower }) => lower - budget > limit)) return "above";
  return "undecided";
}
