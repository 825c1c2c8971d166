import normalQuantile from "@stdlib/stats-base-dists-normal-quantile";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { blockOrders } from "../src/measure/block-order.js";
import { treatments, type Block, type Run, type Treatment } from "../src/record/index.js";

/** Draws of one simulated machine. */
export interface Draws {
  uniform(): number;
  normal(): number;
  integer(): number;
}

export function createDraws(seed: number): Draws {
  const random = xoroshiro128plus(seed);
  const uniform = (): number => uniformFloat64(random);
  return {
    uniform,
    // 0 would be −∞.
    normal: () => normalQuantile(uniform() || Number.EPSILON, 0, 1),
    integer: () => uniformInt(random, 0, 0x7fffffff),
  };
}

/** Log of what a machine makes of a run's true time; called for one run after the other. */
export interface Noise {
  (treatment: Treatment): number;
  /** What the mean log-ratio of `stream` of this very process has beyond the truth; 0 without it. */
  readonly own?: number;
}

/** A kind of machine: each call is a fresh process on it. */
export interface NoiseModel {
  readonly name: string;
  readonly startProcess: (draws: Draws) => Noise;
}

/** Independent runs, 1 % standard deviation. */
const white: NoiseModel = {
  name: "white",
  startProcess: (draws) => () => 0.01 * draws.normal(),
};

/** A machine that drifts: 3 % standard deviation, correlation 0.97 from each run to the next. */
const drift: NoiseModel = {
  name: "AR(1) drift",
  startProcess: (draws) => {
    const level = autoregression(draws, 0.97);
    return () => 0.03 * level();
  },
};

/**
 * One run in twenty is stalled, by 5 % or more: Pareto with shape 2.5, whose
 * variance is finite and whose third moment is not.
 */
const spikes: NoiseModel = {
  name: "heavy-tailed spikes",
  startProcess: (draws) => () => {
    const quiet = 0.01 * draws.normal();
    return draws.uniform() < 0.05 ? quiet + stall(draws) : quiet;
  },
};

/** Beside white noise, each process is slower or faster in each treatment for good. */
function processesThatDiffer(name: string, deviation: number): NoiseModel {
  return {
    name,
    startProcess: (draws) => {
      const habits = new Map(
        treatments.map((treatment) => [treatment, deviation * draws.normal()] as const),
      );
      return (treatment) => (habits.get(treatment) ?? 0) + 0.01 * draws.normal();
    },
  };
}

const betweenProcesses: NoiseModel = processesThatDiffer("between processes", 0.007);

/**
 * Machines on which log-ratios are symmetric, because whatever slows a run slows
 * any treatment's as often: pseudo-median, median and mean are one target there.
 */
export const noiseModels = { white, drift, spikes, betweenProcesses } as const;

/** Normal deviates of a first-order autoregression, from one call to the next. */
export function autoregression(draws: Draws, correlation: number): () => number {
  let level = draws.normal();
  return () => {
    level = correlation * level + Math.sqrt(1 - correlation ** 2) * draws.normal();
    return level;
  };
}

function stall(draws: Draws): number {
  return Math.log1p(0.05 * (1 - draws.uniform()) ** (-1 / 2.5));
}

/** Blocks of one process, in which streaming takes `overhead` longer, as a log-ratio. */
export function simulateProcess(
  model: NoiseModel,
  draws: Draws,
  size: { blocks: number; overhead: number },
): Block[] {
  return simulateRuns(model.startProcess(draws), draws, size);
}

/** The same, of a process that has begun. */
export function simulateRuns(
  noise: Noise,
  draws: Draws,
  { blocks, overhead }: { blocks: number; overhead: number },
): Block[] {
  const orders = blockOrders(treatments, draws.integer());
  return Array.from({ length: blocks }, (_, index) => ({
    index,
    runs: orders.next().value.map((treatment) => {
      const streams = treatment === "stream" || treatment === "streamAsync";
      return simulatedRun(treatment, 1e8 * Math.exp((streams ? overhead : 0) + noise(treatment)));
    }),
  }));
}

const memory = { residentBytes: 1, heapUsedBytes: 1, externalBytes: 1, arrayBufferBytes: 1 };

function simulatedRun(treatment: Treatment, nanoseconds: number): Run {
  return {
    treatment,
    endToEndNanoseconds: Math.round(nanoseconds),
    timeToFirstTokenNanoseconds: null,
    timePerOutputTokenNanoseconds: null,
    cpuMicroseconds: 1,
    eventLoopUtilization: 0,
    memory,
  };
}

/** ln(T_stream / T_generate) and the like, block by block. */
export function logRatios(blocks: readonly Block[], treatment: Treatment): number[] {
  const time = (block: Block, wanted: Treatment): number =>
    block.runs.find((run) => run.treatment === wanted)?.endToEndNanoseconds ?? Number.NaN;
  return blocks.map((block) => Math.log(time(block, treatment) / time(block, "generate")));
}
