import type { CellPlan } from "../plan/stage.js";
import type { WarmUp } from "../record/index.js";
import { trend } from "../statistics/index.js";

/** Blocks that are looked at for a trend. */
const window = 5;

/**
 * |S| from here on is a trend: among 5 values in random order it has a
 * probability of 8 % (Kendall 1938, table 1: P(S ≥ 8) = 0.042).
 */
const trending = 8;

/** Blocks after which the measurement begins even without steadiness. */
const mostBlocks = 20;

/**
 * Most tokens of a warm-up run: what gets warm (compiled code, the session's
 * memory) is warm after that, and a long cell's time is better spent on blocks.
 */
export const warmUpTokens = 100;

/** What makes runs warm for others: all but their length is the same, and they are no shorter. */
export function isWarmAfter(before: CellPlan, plan: CellPlan): boolean {
  const kind = ({ workload, sampling, concurrency = 1, config }: CellPlan): string =>
    JSON.stringify([workload, sampling, concurrency, config]);
  return (
    before.generator === plan.generator &&
    kind(before) === kind(plan) &&
    Math.min(before.tokens, warmUpTokens) >= Math.min(plan.tokens, warmUpTokens)
  );
}

/**
 * Decides when a cell is warm: when the last five block times show no monotone
 * trend, in either direction. A fixed number would be too many for one machine
 * and too few for the next.
 */
export class WarmUpGate {
  readonly #times: number[] = [];
  readonly #planned: number | undefined;

  /** @param planned a number of blocks that is fixed beforehand, whatever they say */
  constructor(planned?: number) {
    this.#planned = planned;
  }

  /** Takes the time of one more warm-up block, in any unit. */
  add(blockTime: number): void {
    this.#times.push(blockTime);
  }

  /** Whether the measurement can begin. */
  get finished(): boolean {
    if (this.#planned !== undefined) return this.#times.length >= this.#planned;
    return this.#steady || this.#times.length >= mostBlocks;
  }

  get summary(): WarmUp {
    return { blocksDropped: this.#times.length, steady: this.#steady };
  }

  get #steady(): boolean {
    // Too few to show a trend, by plan.
    if (this.#planned !== undefined && this.#times.length < window) return true;
    return this.#times.length >= window && Math.abs(trend(this.#times.slice(-window))) < trending;
  }
}
