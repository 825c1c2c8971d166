import { blockOrders } from "../block-order.js";
import type { Clock } from "../clock.js";
import {
  gateMetrics,
  gateModes,
  type GateMode,
  type GateSize,
  type GateWork,
} from "./gate-work.js";
import type { OpenSide, Side } from "./side-process.js";
import type { SideRun } from "./side-protocol.js";
import {
  judgeMetrics,
  overallVerdict,
  typical,
  type GateVerdict,
  type JudgedMetric,
} from "./verdict.js";

/** The two versions that a gate compares. */
export const gateSides = ["base", "head"] as const;

export type GateSide = (typeof gateSides)[number];

export interface GateOptions {
  /** File URLs of the versions' runtimes. */
  readonly runtimeUrls: Readonly<Record<GateSide, string>>;
  readonly work: GateWork;
  readonly size: GateSize;
  /** A fraction: what head may not be slower by. */
  readonly threshold: number;
  /** Draws the orders. */
  readonly seed: number;
  /** Of head's `generateStreamAsync`, a fraction; for self-tests. */
  readonly slowdown?: number;
  /** Fewer blocks where it would take longer; at least two of each pair are measured. */
  readonly timeBudgetSeconds?: number | undefined;
  readonly clock: Clock;
  readonly openSide: OpenSide;
  readonly signal?: AbortSignal | undefined;
  /** Called after each pair of processes has begun, and after each block. */
  readonly onProgress?: (progress: GateProgress) => void;
}

/** Where a gate is. */
export interface GateProgress {
  readonly subject: string;
  readonly fractionDone: number;
}

/** One metric with what it was judged from. */
export interface GateMetricResult extends JudgedMetric {
  /** Geometric means over all blocks, in µs. */
  readonly baseMicroseconds: number | null;
  readonly headMicroseconds: number | null;
  /** ln(head / base), by pair of processes and block. */
  readonly logRatios: readonly (readonly number[])[];
}

/** What a gate found. */
export interface GateOutcome {
  readonly verdict: GateVerdict;
  readonly threshold: number;
  readonly work: GateWork;
  readonly seed: number;
  readonly slowdown: number;
  readonly pairs: number;
  readonly interrupted: boolean;
  /** The versions made other tokens: what differs may be the work. */
  readonly outputsDiffer: boolean;
  readonly seconds: number;
  readonly metrics: readonly GateMetricResult[];
}

/** Blocks at the beginning of each pair of processes that are not kept. */
const warmUpBlocks = 2;

/** Each mode of both versions, measured once. */
type Block = Readonly<Record<GateMode, Readonly<Record<GateSide, SideRun>>>>;

/**
 * Compares two versions: pairs of fresh processes, one of each version, that take
 * turns, one run at a time, in orders that are balanced and drawn from the seed.
 *
 * An abort ends it after the current run; what is done is judged, and the outcome
 * says that it was interrupted.
 *
 * @throws StreamgaugeError what a version throws
 */
export async function runGate(options: GateOptions): Promise<GateOutcome> {
  const { size, clock, threshold, work, seed, slowdown = 0 } = options;
  const start = clock.nowNanoseconds();
  const pairs: Block[][] = [];
  for (let pair = 0; pair < size.pairs && !isAborted(options); pair += 1) {
    const blocks = await runPair(options, pair, start);
    if (blocks.length > 0) pairs.push(blocks);
  }
  const values = gateMetrics.map(({ name, mode, kind }) => {
    const of = (block: Block, side: GateSide): number => valueOf(block[mode][side], kind, work);
    return {
      metric: name,
      baseMicroseconds: typicalOf(pairs, (block) => of(block, "base")),
      headMicroseconds: typicalOf(pairs, (block) => of(block, "head")),
      logRatios: pairs.map((blocks) =>
        blocks.map((block) => Math.log(of(block, "head") / of(block, "base"))),
      ),
    };
  });
  const metrics = judgeMetrics(values, threshold).map((judged, index) => ({
    ...values[index]!,
    ...judged,
  }));
  return {
    verdict: overallVerdict(metrics),
    threshold,
    work,
    seed,
    slowdown,
    pairs: pairs.length,
    interrupted: isAborted(options),
    outputsDiffer: pairs
      .flat()
      .some((block) =>
        gateModes.some((mode) => block[mode].base.idsHash !== block[mode].head.idsHash),
      ),
    seconds: (clock.nowNanoseconds() - start) / 1e9,
    metrics,
  };
}

function isAborted({ signal }: Pick<GateOptions, "signal">): boolean {
  return signal?.aborted === true;
}

async function runPair(options: GateOptions, pair: number, start: number): Promise<Block[]> {
  const { size, seed, signal, onProgress } = options;
  const report = (blocks: number): void =>
    onProgress?.({
      subject: `processes ${pair + 1} of ${size.pairs}`,
      fractionDone: (pair + blocks / size.blocks) / size.pairs,
    });
  report(0);
  const sides = await openSides(options, pair);
  const kept: Block[] = [];
  try {
    const orders = {
      // Which mode comes when, and in it which version: both balanced, both drawn.
      modes: blockOrders(gateModes, pairSeed(seed, pair, 0)),
      sides: gateModes.map((_, mode) => blockOrders(gateSides, pairSeed(seed, pair, mode + 1))),
    };
    for (let block = -warmUpBlocks; block < size.blocks; block += 1) {
      if (kept.length >= 2 && kept.length % 2 === 0 && isOver(options, pair, start)) break;
      const measured = await runBlock(sides, orders, signal);
      if (measured === undefined) break;
      if (block < 0) continue;
      kept.push(measured);
      report(kept.length);
    }
    return kept;
  } finally {
    await Promise.all(gateSides.map((side) => sides[side].close()));
  }
}

async function openSides(
  { runtimeUrls, work, slowdown = 0, openSide }: GateOptions,
  pair: number,
): Promise<Record<GateSide, Side>> {
  const open = (name: GateSide): Promise<Side> =>
    openSide({
      name,
      runtimeUrl: runtimeUrls[name],
      work,
      slowdown: name === "head" ? slowdown : 0,
    });
  // One after the other, the first one in turns: memory is laid out as it is asked for.
  if (pair % 2 === 0) {
    const base = await open("base");
    return { base, head: await orClose(open("head"), base) };
  }
  const head = await open("head");
  return { base: await orClose(open("base"), head), head };
}

async function orClose(opening: Promise<Side>, other: Side): Promise<Side> {
  try {
    return await opening;
  } catch (error) {
    await other.close();
    throw error;
  }
}

/** Undefined when it was interrupted: half a block is not a sample. */
async function runBlock(
  sides: Readonly<Record<GateSide, Side>>,
  orders: {
    readonly modes: ReturnType<typeof blockOrders<GateMode>>;
    readonly sides: readonly ReturnType<typeof blockOrders<GateSide>>[];
  },
  signal: AbortSignal | undefined,
): Promise<Block | undefined> {
  const block: Partial<Record<GateMode, Record<GateSide, SideRun>>> = {};
  for (const mode of orders.modes.next().value) {
    const runs: Partial<Record<GateSide, SideRun>> = {};
    for (const side of orders.sides[gateModes.indexOf(mode)]!.next().value) {
      if (signal?.aborted === true) return undefined;
      runs[side] = await sides[side].measure(mode);
    }
    block[mode] = runs as Record<GateSide, SideRun>;
  }
  return block as Block;
}

/** Whether a pair has had its share of the time budget. It is blind to what was measured. */
function isOver(
  { clock, size, timeBudgetSeconds }: GateOptions,
  pair: number,
  start: number,
): boolean {
  if (timeBudgetSeconds === undefined) return false;
  const share = (timeBudgetSeconds * (pair + 1)) / size.pairs;
  return clock.nowNanoseconds() - start > share * 1e9;
}

function pairSeed(seed: number, pair: number, stream: number): number {
  return (seed + pair * (gateModes.length + 1) + stream) % 2 ** 32;
}

function valueOf(
  run: SideRun,
  kind: "time per token" | "time to first token",
  work: GateWork,
): number {
  return kind === "time per token"
    ? run.endToEndNanoseconds / 1000 / work.tokens
    : (run.firstTokenNanoseconds ?? Number.NaN) / 1000;
}

function typicalOf(
  pairs: readonly (readonly Block[])[],
  of: (block: Block) => number,
): number | null {
  const values = pairs.flat().map(of);
  return values.length === 0 ? null : typical(values);
}
