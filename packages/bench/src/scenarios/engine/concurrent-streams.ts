import { timePerToken } from "../../conclude/engine-analysis.js";
import type { MeasurementPlan } from "../../plan/stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement, speedupClaim } from "./engine-measurement.js";
import { drawPrompts, graphFile, type FindEngineModel } from "./engine-model.js";
import { gapsOf, openOwnWorker, takeTimed } from "./own-engine.js";
import type { TimedIds } from "./peer-engine.js";

export interface ConcurrentStreamsOptions extends RaceSize {
  readonly streams: number;
  /** Tokens of each stream. */
  readonly tokens: number;
  readonly promptTokens: number;
  readonly threads: number;
  readonly leastSpeedup: number;
  readonly findModel: FindEngineModel;
}

const dtype = "fp32";
const togetherName = "at once";
const serialName = "one after another";
const serialAgain = `${serialName}, again`;

/** Streams that one worker steps together against the same streams in turn. */
export function concurrentStreams(options: ConcurrentStreamsOptions): MeasurementPlan {
  const { streams, tokens, promptTokens, threads, leastSpeedup, findModel, ...size } = options;
  return engineMeasurement({
    ...size,
    id: `streams-${streams}`,
    title: `${streams} streams in one worker, ${dtype}`,
    unit: timePerToken,
    baselines: [serialName],
    claims: [speedupClaim(leastSpeedup, togetherName, serialName, serialAgain)],
    async open(context, keep) {
      const { folder, vocabularySize } = await findModel(context);
      const prompts = drawPrompts(streams, context.seed, promptTokens, vocabularySize);
      const { report } = context;
      const runtime = keep(await openOwnWorker(folder, { dtype, threads, streams, report }));
      const { spinning } = runtime.describe();
      const timed = (run: () => Promise<readonly TimedIds[]>) => async () => {
        const start = performance.now();
        const made = await run();
        return {
          value: (performance.now() - start) / (streams * tokens),
          ids: made.flatMap(({ ids }) => ids),
          gapsNanoseconds: made.flatMap(gapsOf),
        };
      };
      const runSerial = timed(async () => {
        const made: TimedIds[] = [];
        for (const prompt of prompts) made.push(await takeTimed(runtime, prompt, tokens));
        return made;
      });
      return {
        contenders: [
          {
            name: togetherName,
            run: timed(() =>
              Promise.all(prompts.map((prompt) => takeTimed(runtime, prompt, tokens))),
            ),
          },
          { name: serialName, run: runSerial },
          { name: serialAgain, run: runSerial },
        ],
        terms: [
          `${graphFile(dtype)} of a model with random weights in one worker of ${threads} thread(s) that ${spinning ? "spin" : "do not spin"}, maxBatch ${streams}; ${streams} prompts of ${promptTokens} to ${promptTokens + 3} ids, ${tokens} tokens each, greedy.`,
          `From the first call to the last token of all streams / tokens of all streams, prompts included; each stream's ids are those that it makes alone.`,
        ],
      };
    },
  });
}
