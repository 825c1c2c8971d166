import { blockOrders } from "../measure/block-order.js";
import { interleave, runInTurn } from "../measure/interleave.js";
import { gateModes, gateSides, type GateMode, type GateSide } from "./gate-work.js";
import type { GateOptions } from "./gate-options.js";
import type { Side } from "./side-process.js";
import type { SideRun } from "./side-protocol.js";

/** Blocks at the beginning of each pair of processes that are not kept. */
const warmUpBlocks = 2;

/** Each mode of both versions, measured once. */
export type Block = Readonly<Record<GateMode, Readonly<Record<GateSide, SideRun>>>>;

/**
 * Measures both versions in a pair of fresh processes, which take turns, one run at a
 * time. An abort ends it after the current run; a block that is not whole is dropped.
 *
 * @param start of the gate, for its time budget
 * @throws StreamgaugeError what a version throws
 */
export async function runPair(options: GateOptions, pair: number, start: number): Promise<Block[]> {
  const { size, seed, clock, signal, timeBudgetSeconds, onProgress } = options;
  const report = (blocks: number): void =>
    onProgress?.({
      subject: `processes ${pair + 1} of ${size.pairs}`,
      fractionDone: (pair + blocks / size.blocks) / size.pairs,
    });
  report(0);
  const sides = await openSides(options, pair);
  const kept: Block[] = [];
  try {
    const sideOrders = gateModes.map((_, mode) =>
      blockOrders(gateSides, pairSeed(seed, pair, mode + 1)),
    );
    // Which mode comes when, and in it which version: both balanced, both drawn.
    await interleave<GateMode, Block>({
      members: gateModes,
      seed: pairSeed(seed, pair, 0),
      clock,
      signal,
      blocks: size.blocks,
      ...(timeBudgetSeconds !== undefined && {
        timeBudget: {
          seconds: (timeBudgetSeconds * (pair + 1)) / size.pairs,
          sinceNanoseconds: start,
          fewestBlocks: 2,
          multipleOf: 2,
        },
      }),
      isWarm: (dropped) => dropped === warmUpBlocks,
      measuredOrders: "continued",
      runBlock: (modes) => runBlock(sides, { modes, sides: sideOrders }, signal),
      onBlock: (block, blocks) => {
        kept.push(block);
        report(blocks);
      },
    });
    return kept;
  } finally {
    await Promise.all(gateSides.map((side) => sides[side].close()));
  }
}

async function openSides(
  { entryUrls, work, slowdown = 0, openSide }: GateOptions,
  pair: number,
): Promise<Record<GateSide, Side>> {
  const open = (name: GateSide): Promise<Side> =>
    openSide({
      name,
      entryUrl: entryUrls[name],
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
    readonly modes: readonly GateMode[];
    readonly sides: readonly ReturnType<typeof blockOrders<GateSide>>[];
  },
  signal: AbortSignal | undefined,
): Promise<Block | undefined> {
  const block: Partial<Record<GateMode, Record<GateSide, SideRun>>> = {};
  for (const mode of orders.modes) {
    const order = orders.sides[gateModes.indexOf(mode)]!.next().value;
    const runs = await runInTurn(
      order,
      signal,
      async (side) => [side, await sides[side].measure(mode)] as const,
    );
    if (runs === undefined) return undefined;
    block[mode] = Object.fromEntries(runs) as Record<GateSide, SideRun>;
  }
  return block as Block;
}

function pairSeed(seed: number, pair: number, stream: number): number {
  return (seed + pair * (gateModes.length + 1) + stream) % 2 ** 32;
}
