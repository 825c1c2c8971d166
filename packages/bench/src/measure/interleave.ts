import type { Clock } from "../plan/clock.js";
import { minimumSamples } from "../statistics/index.js";
import { blockOrders } from "./block-order.js";

/** Blocks of a warm-up are dropped. */
export type Phase = "warm-up" | "measure";

/** Ends the measured blocks early, whatever they say. */
export interface TimeBudget {
  readonly seconds: number;
  /** Reading of the clock when it began. Default: when the first measured block begins. */
  readonly sinceNanoseconds?: number;
  /** Blocks that are measured whatever they take. Default: as many as an interval needs. */
  readonly fewestBlocks?: number;
  /** It ends the blocks only at a multiple of this. Default 1. */
  readonly multipleOf?: number;
}

/** What {@link interleave} is told. */
export interface Interleaving<Member, Block> {
  /** What is compared: each has its place in every block. */
  readonly members: readonly Member[];
  /** Draws the orders; an integer. The same seed gives the same orders. */
  readonly seed: number;
  readonly clock: Clock;
  /** Ends it before the next block; a block that is under way ends it by being undefined. */
  readonly signal: AbortSignal | undefined;
  /** Blocks to measure. */
  readonly blocks: number;
  readonly timeBudget?: TimeBudget;
  /** Asked before each block of the warm-up, with the number of those that were dropped. */
  readonly isWarm: (dropped: number) => boolean;
  /**
   * `fresh`: the measured blocks begin at the beginning of a balanced design.
   * `continued`: they go on where the warm-up ended.
   */
  readonly measuredOrders: "fresh" | "continued";
  /**
   * Runs all members once. Resolves to undefined when it was interrupted: half a block
   * is not a sample.
   *
   * @param done blocks of this phase before this one
   */
  runBlock(order: readonly Member[], phase: Phase, done: number): Promise<Block | undefined>;
  /** Called, and waited for, after each block of the warm-up. */
  onWarmUp?(block: Block, dropped: number): Promise<void> | void;
  /** Called once, when the warm-up is over. */
  onWarm?(): void;
  /** Called, and waited for, after each measured block. */
  onBlock(block: Block, measured: number): Promise<void> | void;
}

/**
 * Measures in interleaved blocks: a warm-up, then blocks until there are as many as
 * planned or the time budget is spent. Each block runs all members, in orders that are
 * balanced and drawn; see {@link blockOrders}.
 *
 * @returns `interrupted` when the signal ended it; the blocks before that were given
 *   to `onBlock`
 * @throws what the callbacks throw
 */
export async function interleave<Member, Block>(
  options: Interleaving<Member, Block>,
): Promise<"complete" | "interrupted"> {
  const { members, seed, clock, signal, blocks, isWarm, measuredOrders } = options;
  const run = async (
    orders: ReturnType<typeof blockOrders<Member>>,
    phase: Phase,
    done: number,
  ): Promise<Block | undefined> =>
    signal?.aborted === true ? undefined : await options.runBlock(orders.next().value, phase, done);

  const orders = blockOrders(members, seed);
  for (let dropped = 0; !isWarm(dropped); dropped += 1) {
    const block = await run(orders, "warm-up", dropped);
    if (block === undefined) return "interrupted";
    await options.onWarmUp?.(block, dropped + 1);
  }
  options.onWarm?.();
  const measured = measuredOrders === "fresh" ? blockOrders(members, seed) : orders;
  const isSpent = watchBudget(clock, options.timeBudget);
  for (let done = 0; done < blocks && !isSpent(done); done += 1) {
    const block = await run(measured, "measure", done);
    if (block === undefined) return "interrupted";
    await options.onBlock(block, done + 1);
  }
  return "complete";
}

/** Whether the budget ends the blocks when so many are done. It is blind to what they say. */
function watchBudget(clock: Clock, budget: TimeBudget | undefined): (done: number) => boolean {
  if (budget === undefined) return () => false;
  const { seconds, fewestBlocks = minimumSamples, multipleOf = 1 } = budget;
  const since = budget.sinceNanoseconds ?? clock.nowNanoseconds();
  return (done) =>
    done >= fewestBlocks &&
    done % multipleOf === 0 &&
    clock.nowNanoseconds() - since > seconds * 1e9;
}

/**
 * The runs of one block, one after the other. Undefined when the signal ended it before
 * the last one.
 */
export async function runInTurn<Member, Run>(
  order: readonly Member[],
  signal: AbortSignal | undefined,
  run: (member: Member) => Promise<Run>,
): Promise<readonly Run[] | undefined> {
  const runs: Run[] = [];
  for (const member of order) {
    if (signal?.aborted === true) return undefined;
    runs.push(await run(member));
  }
  return runs;
}
