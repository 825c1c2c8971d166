import { cacheCapacity } from "@streamgauge/runtime/onnx";
import { timePerToken } from "../../engine-analysis.js";
import type { MeasurementPlan } from "../stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement } from "./engine-measurement.js";
import { drawPrompt, graphFile, type FindEngineModel } from "./engine-model.js";
import { openOwn } from "./own-engine.js";

export interface AgainstBareLoopOptions extends RaceSize {
  readonly promptTokens: number;
  readonly tokens: number;
  readonly threads: number;
  readonly findModel: FindEngineModel;
}

const dtype = "fp32";
const bareName = "session.run loop";
const bareAgain = `${bareName} again`;

/** `generate()` against the least that a host has to do over the same graph. */
export function againstBareLoop(options: AgainstBareLoopOptions): MeasurementPlan {
  const { promptTokens, tokens, threads, findModel, ...size } = options;
  return engineMeasurement({
    ...size,
    id: "bare-loop",
    title: `generate() against a bare session.run loop, ${dtype}`,
    unit: timePerToken,
    baselines: [bareName],
    claims: [
      {
        contender: "generate()",
        against: bareName,
        control: bareAgain,
        promise: "within 3 % of its time",
        limit: 1.03,
      },
    ],
    async open(context) {
      const { folder, vocabularySize } = await findModel(context);
      const prompt = drawPrompt(context.seed, promptTokens, vocabularySize);
      const { createBareLoop, openWithSession } = await import("./bare-loop.js");
      context.report?.("loading");
      const { engine: own, session } = await openWithSession(() =>
        openOwn(folder, { dtype, threads, prefixReuse: false }),
      );
      const { spinning } = own.describe();
      const capacity = cacheCapacity(promptTokens + tokens);
      const bare = createBareLoop({ session, vocabularySize, capacity });
      const timed = (run: () => Promise<readonly number[]>) => async () => {
        const start = performance.now();
        const ids = await run();
        return { value: (performance.now() - start) / tokens, ids };
      };
      const runBare = timed(() => bare.generate(prompt, tokens));
      return {
        contenders: [
          {
            name: "generate()",
            run: timed(async () => {
              const config = { maxTokens: tokens, temperature: 0, ignoreEos: true };
              return (await own.generate(prompt, config)).ids;
            }),
          },
          { name: bareName, run: runBare },
          { name: bareAgain, run: runBare },
        ],
        terms: [
          `The same session of the patched graph of ${graphFile(dtype)}, ${capacity} rows of cache, a prompt of ${promptTokens} ids and ${tokens} tokens, greedy; the whole call / tokens, the prompt included; the ids are equal.`,
          `Both inline with ${threads} thread(s) that ${spinning ? "spin" : "do not spin"}; one computes at a time.`,
        ],
        close: () => own.close(),
      };
    },
  });
}
