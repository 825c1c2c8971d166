import { StreamgaugeError } from "@streamgauge/core";
import { timePerToken } from "../../conclude/engine-analysis.js";
import type { MeasurementPlan } from "../../plan/stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement, speedupClaim } from "./engine-measurement.js";
import { drawPrompts, graphFile, type EngineDtype, type FindEngineModel } from "./engine-model.js";
import { findLlama, llamaName, openLlama } from "./llama-engine.js";
import { gapsOf, openOwnWorker, ownName, takeTimed } from "./own-engine.js";
import type { TimedIds } from "./peer-engine.js";
import { again } from "./rivals.js";
import { ggufTerm, runtimeVersions } from "./terms.js";

export interface StreamsBesideLlamaOptions extends RaceSize {
  readonly dtype: EngineDtype;
  readonly streams: number;
  /** Tokens of each stream. */
  readonly tokens: number;
  readonly promptTokens: number;
  readonly threads: number;
  /** What is promised; undefined where only the numbers are wanted. */
  readonly leastSpeedup?: number;
  readonly findModel: FindEngineModel;
}

/** Streams at once: ours in one worker against llama.cpp's sequences in one context. */
export function streamsBesideLlama(options: StreamsBesideLlamaOptions): MeasurementPlan {
  const { dtype, streams, tokens, promptTokens, threads, leastSpeedup, findModel, ...size } =
    options;
  const isClaimed = leastSpeedup !== undefined;
  return engineMeasurement({
    ...size,
    id: `streams-${streams}-${dtype}-llama`,
    title: `${streams} streams at once, ${dtype}, beside llama.cpp`,
    unit: timePerToken,
    baselines: [llamaName],
    claims: isClaimed ? [speedupClaim(leastSpeedup, ownName, llamaName, again(llamaName))] : [],
    async open(context, keep) {
      const there = await findLlama();
      if ("whyNot" in there) throw new StreamgaugeError("ENGINE_FAILED", there.whyNot);
      const { folder, vocabularySize, ggufFile } = await findModel(context);
      const longest = promptTokens + 3;
      const prompts = drawPrompts(streams, context.seed, promptTokens, vocabularySize);
      const { report } = context;
      report?.("loading");
      const llama = keep(
        await openLlama(await ggufFile(dtype), {
          threads,
          contextTokens: longest + tokens,
          sequences: streams,
        }),
      );
      const runtime = keep(await openOwnWorker(folder, { dtype, threads, streams, report }));
      const { spinning } = runtime.describe();
      const timed = async (run: () => Promise<readonly TimedIds[]>) => {
        const start = performance.now();
        const made = await run();
        return {
          value: (performance.now() - start) / (streams * tokens),
          gapsNanoseconds: made.flatMap(gapsOf),
          made,
        };
      };
      const runLlama = async () => {
        const { made: _made, ...run } = await timed(() => llama.generateAtOnce(prompts, tokens));
        return run;
      };
      return {
        contenders: [
          {
            name: ownName,
            run: async () => {
              const { made, ...run } = await timed(() =>
                Promise.all(prompts.map((prompt) => takeTimed(runtime, prompt, tokens))),
              );
              return { ...run, ids: made.flatMap(({ ids }) => ids) };
            },
          },
          { name: llamaName, run: runLlama },
          ...(isClaimed ? [{ name: again(llamaName), run: runLlama }] : []),
        ],
        terms: [
          `${graphFile(dtype)} of a model with random weights in one worker of ${threads} thread(s) that ${spinning ? "spin" : "do not spin"}, maxBatch ${streams}; llama.cpp with ${streams} sequences in one context of ${threads} thread(s); ${streams} prompts of ${promptTokens} to ${longest} ids, ${tokens} tokens each, greedy.`,
          `From the first call to the last token of all streams / tokens of all streams, prompts included; one engine computes at a time.`,
          ggufTerm(dtype),
          await runtimeVersions(false),
          there.versions,
        ],
      };
    },
  });
}
