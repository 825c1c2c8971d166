import type { MeasurementPlan } from "../../plan/stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement, type ContenderRun } from "./engine-measurement.js";
import { drawPrompt, graphFile, type EngineDtype, type FindEngineModel } from "./engine-model.js";
import { openOwn, ownName, takeTimed } from "./own-engine.js";
import { peerName, type TimedIds } from "./peer-engine.js";
import { again, openRivals, rivalContenders, type RivalName } from "./rivals.js";
import { threadsTerm } from "./terms.js";

export interface FirstTokenOptions extends RaceSize {
  readonly dtype: EngineDtype;
  readonly promptTokens: number;
  readonly threads: number;
  readonly rivals: readonly RivalName[];
  /** Whether transformers.js runs twice in each block, for an interval that can be judged. */
  readonly hasControl: boolean;
  readonly findModel: FindEngineModel;
}

/** Compiles code and fills the allocator; a whole prompt would take too long. */
const warmUpPromptTokens = 64;

/** From the call to the first token of a long prompt, against other engines; the claim is on transformers.js. */
export function firstToken(options: FirstTokenOptions): MeasurementPlan {
  const { dtype, promptTokens, threads, rivals, hasControl, findModel, ...size } = options;
  return engineMeasurement({
    ...size,
    id: `first-token-${dtype === "fp32" ? "" : `${dtype}-`}${promptTokens}`,
    title: `Time to the first token, ${dtype}, a prompt of ${promptTokens} tokens`,
    unit: "ms to the first token",
    baselines: rivals,
    claims: rivals.includes(peerName)
      ? [
          {
            contender: ownName,
            against: peerName,
            control: hasControl ? again(peerName) : null,
            promise: "no more time",
            limit: 1,
          },
        ]
      : [],
    async open(context, keep) {
      const model = await findModel(context);
      const prompt = drawPrompt(context.seed, promptTokens, model.vocabularySize);
      context.report?.("loading");
      const own = keep(await openOwn(model.folder, { dtype, threads, prefixReuse: false }));
      const { spinning } = own.describe();
      const settings = { dtype, threads, spinning, contextTokens: promptTokens + 1 };
      const opened = await openRivals(rivals, model, settings, keep);
      const timed = (run: (ids: readonly number[]) => Promise<TimedIds>) => async () => {
        const start = performance.now();
        const { ids, atNanoseconds } = await run(prompt);
        return { value: (atNanoseconds[0] as number) / 1e6 - start, ids } satisfies ContenderRun;
      };
      const runOwn = (ids: readonly number[]) => takeTimed(own, ids, 1);
      const warmUpPrompt = prompt.slice(0, warmUpPromptTokens);
      await runOwn(warmUpPrompt);
      for (const peer of opened.peers) await peer.generate(warmUpPrompt, 1);
      return {
        contenders: [
          { name: ownName, run: timed(runOwn) },
          ...rivalContenders(opened, hasControl ? [peerName] : [], (peer) =>
            timed((ids) => peer.generate(ids, 1))(),
          ),
        ],
        leftOut: opened.leftOut,
        terms: [
          `The same file ${graphFile(dtype)} of a model with random weights and the same ids; from the call to the first token; nothing is kept of the prompt before; the first ids are equal where the file is.`,
          threadsTerm(threads, spinning),
          ...opened.terms,
        ],
      };
    },
  });
}
