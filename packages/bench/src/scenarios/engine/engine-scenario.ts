import { measurementsOn, paced } from "../../plan/build-stage.js";
import type { MeasurementPlan, Scenario, Size } from "../../plan/stage.js";
import { againstBareLoop } from "./against-bare-loop.js";
import { concurrentStreams } from "./concurrent-streams.js";
import { decodeSpeed, type RaceSize } from "./decode-speed.js";
import { engineScenarioName } from "./engine-measurement.js";
import { buildEngineModel } from "./engine-model.js";
import { firstToken } from "./first-token.js";
import { llamaName } from "./llama-engine.js";
import { loading } from "./loading.js";
import { oneCoreBusy } from "./one-core-busy.js";
import { peakMemory } from "./peak-memory.js";
import { peerName } from "./peer-engine.js";
import type { LeastSpeedups } from "./rivals.js";
import { streamsBesideLlama } from "./streams-beside-llama.js";

/** As many as the cores of a small machine. Ours do not spin where their number is given. */
const threads = 2;
const findModel = buildEngineModel;

/** Least speedup over each rival, by dtype and tokens of context. */
const leastSpeedups: Readonly<Record<"fp32" | "q4", Readonly<Record<number, LeastSpeedups>>>> = {
  q4: {
    64: { [peerName]: 1.15, [llamaName]: 1 },
    1024: { [peerName]: 2, [llamaName]: 1 },
    4096: { [peerName]: 2.5 },
  },
  fp32: {
    64: { [peerName]: 1.05, [llamaName]: 1 },
    1024: { [peerName]: 1.5, [llamaName]: 1 },
    4096: { [peerName]: 2 },
  },
};
const contexts = [64, 1024, 4096] as const;
const decodedTokens: Readonly<Record<number, number>> = { 64: 24, 1024: 12, 4096: 8 };

/** Blocks of a measurement by the size of the run; expected seconds of loading and of a block. */
function raceSize(
  size: Size,
  blocks: readonly [quick: number, thorough: number],
  [setUpSeconds, blockSeconds]: readonly [setUp: number, block: number],
  warmUpBlocks = 1,
): RaceSize {
  const count = blocks[size === "quick" ? 0 : 1];
  const measuredSeconds = count * blockSeconds;
  return {
    blocks: count,
    warmUpBlocks,
    timeBudgetSeconds: 2 * measuredSeconds,
    expectedSeconds: setUpSeconds + (count + warmUpBlocks) * blockSeconds,
  };
}

function decodes(size: Size): MeasurementPlan[] {
  const seconds = { 64: [5, 3], 1024: [19, 2.7], 4096: [78, 4] } as const;
  const blocks = { 64: [8, 12], 1024: [8, 12], 4096: [6, 6] } as const;
  return (["q4", "fp32"] as const).flatMap((dtype) => [
    ...contexts.map((contextTokens) =>
      decodeSpeed({
        ...raceSize(size, blocks[contextTokens], seconds[contextTokens]),
        dtype,
        contextTokens,
        tokens: decodedTokens[contextTokens] as number,
        threads,
        rivals: [peerName, llamaName],
        leastSpeedups: leastSpeedups[dtype][contextTokens] as LeastSpeedups,
        findModel,
      }),
    ),
    decodeSpeed({
      ...raceSize(size, [6, 6], [14, 1.4]),
      dtype,
      contextTokens: 1024,
      tokens: decodedTokens[1024] as number,
      threads: undefined,
      rivals: [peerName],
      findModel,
    }),
  ]);
}

/** What is shown beside llama.cpp alone: 8 bits, first tokens of quantised weights, streams. */
function besideLlama(size: Size): MeasurementPlan[] {
  const seconds = { 64: [5, 0.7], 1024: [10, 0.5], 4096: [28, 0.6] } as const;
  const streamSeconds = { fp32: 9, q8: 3.7, q4: 5.1 } as const;
  return [
    ...contexts.map((contextTokens) =>
      decodeSpeed({
        ...raceSize(size, [6, 6], seconds[contextTokens]),
        dtype: "q8",
        contextTokens,
        tokens: decodedTokens[contextTokens] as number,
        threads,
        rivals: [llamaName],
        findModel,
      }),
    ),
    ...(["q8", "q4"] as const).map((dtype) =>
      firstToken({
        ...raceSize(size, [3, 6], [4, 8.5], 0),
        dtype,
        promptTokens: 2048,
        threads,
        rivals: [llamaName],
        hasControl: false,
        findModel,
      }),
    ),
    ...(["q4", "q8", "fp32"] as const).map((dtype) =>
      streamsBesideLlama({
        ...raceSize(size, [6, 8], [4, streamSeconds[dtype]]),
        dtype,
        streams: 8,
        tokens: 24,
        promptTokens: 8,
        threads,
        ...(dtype === "q8" ? {} : { leastSpeedup: 1 }),
        findModel,
      }),
    ),
  ];
}

/** The decode engine of the 135M shape: against transformers.js, llama.cpp, a bare loop, and itself. */
export const engine: Scenario = {
  name: engineScenarioName,
  description:
    "the engine on 135M parameters: transformers.js, llama.cpp, a bare loop, batches, memory",
  stages: (size) => {
    const isQuick = size === "quick";
    const streamTokens = isQuick ? 32 : 48;
    return [
      // Nothing is measured on this generator: each measurement opens its own.
      measurementsOn({ ...paced(0, "inline"), id: engineScenarioName }, [
        loading({ dtype: "fp32", threads: 1, expectedSeconds: 15, findModel }),
        loading({ dtype: "q4", threads: 1, expectedSeconds: 10, findModel }),
        ...(["q4", "fp32"] as const).map((dtype) =>
          peakMemory({
            ...raceSize(size, [1, 2], [0, 70], 0),
            dtype,
            contextTokens: 4096,
            tokens: 8,
            threads,
            findModel,
          }),
        ),
        ...decodes(size),
        oneCoreBusy({
          ...raceSize(size, [6, 6], [6, 6]),
          dtype: "q4",
          contextTokens: 64,
          tokens: 8,
          threads,
          findModel,
        }),
        againstBareLoop({
          ...raceSize(size, [16, 32], [3, 8]),
          // So that the engine's buffers have one length throughout, as the loop's have.
          promptTokens: 33,
          tokens: 95,
          threads,
          findModel,
        }),
        firstToken({
          ...raceSize(size, [3, 6], [4, isQuick ? 30 : 42], 0),
          dtype: "fp32",
          promptTokens: 2048,
          threads,
          rivals: [peerName, llamaName],
          hasControl: !isQuick,
          findModel,
        }),
        ...([8, 16] as const).map((streams) =>
          concurrentStreams({
            ...raceSize(size, [6, 8], [3, (streams * streamTokens) / 19]),
            streams,
            tokens: streamTokens,
            promptTokens: 8,
            threads,
            leastSpeedup: streams === 8 ? 4.5 : 7,
            findModel,
          }),
        ),
        ...besideLlama(size),
      ]),
    ];
  },
};
