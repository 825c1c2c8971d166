import type { Claim } from "../conclude/claims.js";
import { isMadeFor } from "../conclude/claims.js";
import { costPerToken, logRatio, pairsOf } from "../conclude/analysis.js";
import { allotBlocks, type AllottableCell } from "../plan/allotment.js";
import type { CellPlan, Stage } from "../plan/stage.js";
import type { Cell, ResultRecord } from "../record/index.js";
import { standardDeviation } from "../statistics/index.js";
import { expectedSeconds, expectedWarmUpBlockSeconds } from "./expected-time.js";

/** Until a process measures, and after: starting Node, the model, saving, ending. */
const secondsAroundBlocks = 1.5;

/** A standard deviation needs so many. */
const fewestToScatter = 2;

/** What a process's share of the time follows from. */
export interface ShareOut {
  /** All stages of the process, less what is left out. */
  readonly stages: readonly Stage[];
  readonly record: Pick<ResultRecord, "cells">;
  readonly claims: readonly Claim[];
  /** Which of the run's processes shares it out, from 0. */
  readonly process: number;
  /** As many as there are at the look. */
  readonly processes: number;
  /** For the whole run. */
  readonly budgetSeconds: number;
}

/**
 * Blocks for the cells of one process that may have more or fewer than planned, by what the
 * processes before it measured; empty for the first. It follows from their blocks alone and from no
 * clock, so that a run which is resumed goes on with the same numbers.
 */
export function shareOut({
  stages,
  record,
  claims,
  process,
  processes,
  budgetSeconds,
}: ShareOut): Readonly<Record<string, number>> {
  const known = new Map(
    record.cells.flatMap((cell) => {
      const before = { ...cell, blocks: cell.blocks.filter(({ process: of = 0 }) => of < process) };
      return before.blocks.length < fewestToScatter ? [] : [[cell.id, before] as const];
    }),
  );
  const plans = stages.flatMap(({ cells }) => cells);
  const allottable = plans.flatMap((plan) => {
    const cell = known.get(plan.id);
    return cell === undefined ? [] : describe(plan, cell, claims);
  });
  if (process === 0 || allottable.length === 0) return {};
  const spent = [...known.values()].reduce(
    (sum, cell) => sum + secondsOf(cell),
    process * secondsAroundBlocks,
  );
  const isAllottable = ({ id }: CellPlan): boolean => allottable.some((cell) => cell.id === id);
  const others = stages.map((stage) => ({
    ...stage,
    cells: stage.cells.filter((plan) => !isAllottable(plan)),
  }));
  const warmUps = allottable.reduce(
    (sum, { id }) => sum + warmUpSecondsOf(known.get(id)) / process,
    0,
  );
  const processesLeft = processes - process;
  return Object.fromEntries(
    allotBlocks(allottable, {
      seconds:
        (budgetSeconds - spent) / processesLeft -
        secondsAroundBlocks -
        warmUps -
        expectedSeconds(others),
      processesLeft,
    }),
  );
}

function describe(plan: CellPlan, cell: Cell, claims: readonly Claim[]): AllottableCell[] {
  if (plan.range === undefined) return [];
  const [fewestBlocks, mostBlocks] = plan.range;
  return [
    {
      id: plan.id,
      fewestBlocks,
      mostBlocks,
      blocksBefore: cell.blocks.length,
      secondsPerBlock: secondsPerBlock(cell),
      noise: noiseOf(cell, claims),
    },
  ];
}

/**
 * The largest over the treatments that something is claimed of, each by its widest limit: that is
 * the one that a short run can decide.
 */
function noiseOf(cell: Cell, claims: readonly Claim[]): number {
  const widest = new Map<string, number>();
  for (const { metric, treatment, limit } of claims.filter((claim) => isMadeFor(claim, cell))) {
    const pairs = pairsOf(cell.blocks, treatment).flat();
    const samples =
      metric === "absoluteCost"
        ? pairs.map((pair) => costPerToken(pair, cell.tokens))
        : pairs.map(logRatio);
    const noise = standardDeviation(samples) / limit;
    const key = `${metric} ${treatment}`;
    widest.set(key, Math.min(noise, widest.get(key) ?? Infinity));
  }
  return Math.max(0, ...widest.values());
}

function secondsPerBlock(cell: Cell): number {
  return blocksSeconds(cell) / cell.blocks.length;
}

function blocksSeconds({ blocks }: Cell): number {
  return blocks
    .flatMap(({ runs }) => runs)
    .reduce((sum, { endToEndNanoseconds }) => sum + endToEndNanoseconds / 1e9, 0);
}

function secondsOf(cell: Cell): number {
  return blocksSeconds(cell) + warmUpSecondsOf(cell);
}

/** Of all processes before. */
function warmUpSecondsOf(cell: Cell | undefined): number {
  if (cell === undefined) return 0;
  const { tokens, blocks } = cell;
  const done = new Set(blocks.map(({ process = 0 }) => process));
  const dropped = cell.processes
    .filter(({ process }) => done.has(process))
    .reduce((sum, { warmUp }) => sum + warmUp.blocksDropped, 0);
  return (
    dropped * expectedWarmUpBlockSeconds({ tokens, expectedBlockSeconds: secondsPerBlock(cell) })
  );
}
