import { measurementsOn, paced } from "../../plan/build-stage.js";
import type { MeasurementPlan, Scenario, Size } from "../../plan/stage.js";
import { againstBareLoop } from "./against-bare-loop.js";
import { concurrentStreams } from "./concurrent-streams.js";
import { decodeSpeed, type RaceSize } from "./decode-speed.js";
import { engineScenarioName } from "./engine-measurement.js";
import { buildEngineModel, type EngineDtype } from "./engine-model.js";
import { firstToken } from "./first-token.js";
import { loading } from "./loading.js";
import { peakMemory } from "./peak-memory.js";

/** On two cores the runtime's threads do not spin, as many as there are cores. */
const threads = 2;
const findModel = buildEngineModel;

/** Least speedup over transformers.js, by dtype and tokens of context. */
const leastSpeedups: Readonly<Record<EngineDtype, Readonly<Record<number, number>>>> = {
  q4: { 64: 1.15, 1024: 2, 4096: 2.5 },
  fp32: { 64: 1.05, 1024: 1.5, 4096: 2 },
};

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
  const tokens: Readonly<Record<number, number>> = { 64: 24, 1024: 12, 4096: 8 };
  const seconds = { 64: [3, 1.5], 1024: [14, 1.7], 4096: [60, 3.2] } as const;
  const blocks = { 64: [8, 12], 1024: [8, 12], 4096: [6, 6] } as const;
  return (["q4", "fp32"] as const).flatMap((dtype) => [
    ...([64, 1024, 4096] as const).map((contextTokens) =>
      decodeSpeed({
        ...raceSize(size, blocks[contextTokens], seconds[contextTokens]),
        dtype,
        contextTokens,
        tokens: tokens[contextTokens] as number,
        threads,
        leastSpeedup: leastSpeedups[dtype][contextTokens] as number,
        findModel,
      }),
    ),
    decodeSpeed({
      ...raceSize(size, [6, 6], [14, 2.3]),
      dtype,
      contextTokens: 1024,
      tokens: tokens[1024] as number,
      threads: undefined,
      findModel,
    }),
  ]);
}

/** The decode engine of the 135M shape: against transformers.js, a bare loop, and itself. */
export const engine: Scenario = {
  name: engineScenarioName,
  description: "the engine on 135M parameters: transformers.js, a bare loop, batches, memory",
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
            ...raceSize(size, [1, 2], [0, 55], 0),
            dtype,
            contextTokens: 4096,
            tokens: 8,
            threads,
            findModel,
          }),
        ),
        ...decodes(size),
        againstBareLoop({
          ...raceSize(size, [16, 60], [3, 8]),
          // So that the engine's buffers have one length throughout, as the loop's have.
          promptTokens: 33,
          tokens: 95,
          threads,
          findModel,
        }),
        firstToken({
          ...raceSize(size, [3, 6], [4, isQuick ? 23 : 35], 0),
          promptTokens: 2048,
          threads,
          hasControl: !isQuick,
          findModel,
        }),
        ...([8, 16] as const).map((streams) =>
          concurrentStreams({
            ...raceSize(size, [6, streams === 8 ? 8 : 12], [3, (streams * streamTokens) / 19]),
            streams,
            tokens: streamTokens,
            promptTokens: 8,
            threads,
            leastSpeedup: streams === 8 ? 4.5 : 7,
            findModel,
          }),
        ),
      ]),
    ];
  },
};
