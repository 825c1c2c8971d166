import {
  treatments,
  type Analysis,
  type Block,
  type Comparison,
  type Memory,
  type Run,
  type Treatment,
  type TreatmentSummary,
} from "../record/index.js";
import { estimateProcesses, median, minimumSamples, rescale } from "../statistics/index.js";

/**
 * What the blocks of a cell say, or null with fewer than an interval needs.
 * Each run is compared with the `generate` of its own block, so that whatever
 * drifts slower than a block lasts cancels.
 *
 * @param tokens tokens made by each run
 */
export function analyze(blocks: readonly Block[], tokens: number): Analysis | null {
  if (blocks.length < minimumSamples) return null;
  return {
    treatments: treatments.map((treatment) => summarize(blocks, treatment, tokens)),
    comparisons: (["control", "stream", "streamAsync"] as const).map((treatment) =>
      compare(blocks, treatment, tokens),
    ),
  };
}

/** By the process that a block names, or the first. */
export function groupByProcess<T extends { readonly process?: number }>(
  blocks: readonly T[],
): readonly (readonly T[])[] {
  const processes = new Map<number, T[]>();
  for (const block of blocks) {
    const { process = 0 } = block;
    const part = processes.get(process);
    if (part === undefined) processes.set(process, [block]);
    else part.push(block);
  }
  return [...processes.values()];
}

/** How long each pair of runs took, process by process. */
export function pairsOf(
  blocks: readonly Block[],
  treatment: Comparison["treatment"],
): readonly (readonly Pair[])[] {
  return groupByProcess(blocks).map((part) =>
    part.map((block) => pairOf(runOf(block, "generate"), runOf(block, treatment))),
  );
}

/** Runs that made different numbers of tokens are compared by the token. */
function pairOf(baseline: Run, treated: Run): Pair {
  const { tokens } = baseline;
  const scale = tokens === undefined ? 1 : tokens / (treated.tokens ?? tokens);
  return {
    baselineNanoseconds: baseline.endToEndNanoseconds,
    treatedNanoseconds: treated.endToEndNanoseconds * scale,
    ...(tokens !== undefined && { tokens }),
  };
}

/** The two runs of a block that are compared. */
export interface Pair {
  readonly baselineNanoseconds: number;
  /** As if this run had made as many tokens as the other. */
  readonly treatedNanoseconds: number;
  /** Tokens that the baseline made, where generations end by themselves. */
  readonly tokens?: number;
}

export function logRatio({ baselineNanoseconds, treatedNanoseconds }: Pair): number {
  return Math.log(treatedNanoseconds / baselineNanoseconds);
}

/** In microseconds. @param tokens tokens made by each run, where the pair does not say */
export function costPerToken(pair: Pair, tokens: number): number {
  return (pair.treatedNanoseconds - pair.baselineNanoseconds) / 1000 / (pair.tokens ?? tokens);
}

function compare(
  blocks: readonly Block[],
  treatment: Comparison["treatment"],
  tokens: number,
): Comparison {
  const processes = pairsOf(blocks, treatment);
  const overhead = estimateProcesses(processes.map((pairs) => pairs.map(logRatio)));
  const cost = estimateProcesses(
    processes.map((pairs) => pairs.map((pair) => costPerToken(pair, tokens))),
  );
  return {
    treatment,
    blocks: blocks.length,
    processes: processes.length,
    level: overhead.level,
    overhead: rescale(overhead.estimates, Math.expm1),
    standardDeviation: overhead.standardDeviation,
    smallestDetectableEffect: Math.expm1(overhead.smallestDetectableEffect),
    costMicrosecondsPerToken: cost.estimates,
  };
}

function summarize(
  blocks: readonly Block[],
  treatment: Treatment,
  tokens: number,
): TreatmentSummary {
  const runs = blocks.map((block) => runOf(block, treatment));
  const tokensOf = (run: Run): number => run.tokens ?? tokens;
  const middle = (value: (run: Run) => number): number => median(runs.map(value));
  const perToken = runs
    .map((run) => run.timePerOutputTokenNanoseconds)
    .filter((nanoseconds) => nanoseconds !== null);
  const peak = (field: keyof Memory): number =>
    runs.reduce((largest, run) => Math.max(largest, run.memory[field]), 0);
  const callbacks = runs
    .map((run) => run.callbackNanoseconds)
    .filter((nanoseconds) => nanoseconds !== undefined);
  return {
    treatment,
    endToEndNanoseconds: middle((run) => run.endToEndNanoseconds),
    throughputTokensPerSecond: middle((run) => tokensOf(run) / (run.endToEndNanoseconds / 1e9)),
    timePerOutputTokenNanoseconds: perToken.length === 0 ? null : median(perToken),
    cpuMicrosecondsPerToken: middle((run) => run.cpuMicroseconds / tokensOf(run)),
    eventLoopUtilization: middle((run) => run.eventLoopUtilization),
    ...(callbacks.length > 0 && {
      callbackMicrosecondsPerToken: median(callbacks) / 1000 / tokens,
    }),
    peakMemory: {
      residentBytes: peak("residentBytes"),
      heapUsedBytes: peak("heapUsedBytes"),
      externalBytes: peak("externalBytes"),
      arrayBufferBytes: peak("arrayBufferBytes"),
    },
  };
}

function runOf(block: Block, treatment: Treatment): Run {
  const run = block.runs.find((candidate) => candidate.treatment === treatment);
  if (run === undefined) throw new RangeError(`Block ${block.index} has no run of ${treatment}.`);
  return run;
}
