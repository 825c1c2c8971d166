import type { MeasurementPlan } from "../../plan/stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement, type ContenderRun } from "./engine-measurement.js";
import { drawPrompt, graphFile, type FindEngineModel } from "./engine-model.js";
import { openOwn, ownName, takeTimed } from "./own-engine.js";
import { openPeer, peerName, type TimedIds } from "./peer-engine.js";
import { threadsTerm, versionsTerm } from "./terms.js";

export interface FirstTokenOptions extends RaceSize {
  readonly promptTokens: number;
  readonly threads: number;
  /** Whether transformers.js runs twice in each block, for an interval that can be judged. */
  readonly hasControl: boolean;
  readonly findModel: FindEngineModel;
}

const dtype = "fp32";
const peerAgain = `${peerName} again`;
/** Compiles code and fills the allocator; a whole prompt would take too long. */
const warmUpPromptTokens = 64;

/** From the call to the first token of a long prompt, against transformers.js. */
export function firstToken(options: FirstTokenOptions): MeasurementPlan {
  const { promptTokens, threads, hasControl, findModel, ...size } = options;
  return engineMeasurement({
    ...size,
    id: `first-token-${promptTokens}`,
    title: `Time to the first token, ${dtype}, a prompt of ${promptTokens} tokens`,
    unit: "ms to the first token",
    baselines: [peerName],
    claims: [
      {
        contender: ownName,
        against: peerName,
        control: hasControl ? peerAgain : null,
        promise: "no more time",
        limit: 1,
      },
    ],
    async open(context) {
      const { folder, vocabularySize } = await findModel(context);
      const prompt = drawPrompt(context.seed, promptTokens, vocabularySize);
      context.report?.("loading");
      const own = await openOwn(folder, { dtype, threads, prefixReuse: false });
      const { spinning } = own.describe();
      const peer = await openPeer(folder, dtype, { threads, spinning });
      const timed = (run: (ids: readonly number[]) => Promise<TimedIds>) => async () => {
        const start = performance.now();
        const { ids, atNanoseconds } = await run(prompt);
        return { value: (atNanoseconds[0] as number) / 1e6 - start, ids } satisfies ContenderRun;
      };
      const runOwn = (ids: readonly number[]) => takeTimed(own, ids, 1);
      const runPeer = (ids: readonly number[]) => peer.generate(ids, 1);
      for (const run of [runOwn, runPeer]) await run(prompt.slice(0, warmUpPromptTokens));
      return {
        contenders: [
          { name: ownName, run: timed(runOwn) },
          { name: peerName, run: timed(runPeer) },
          ...(hasControl ? [{ name: peerAgain, run: timed(runPeer) }] : []),
        ],
        terms: [
          `The same file ${graphFile(dtype)} of a model with random weights and the same ids; from the call to the first token; nothing is kept of the prompt before; the first ids are equal.`,
          threadsTerm(threads, spinning),
          await versionsTerm(),
        ],
        close: async () => {
          await peer.close();
          await own.close();
        },
      };
    },
  });
}
