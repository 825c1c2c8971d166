import { timePerToken } from "../../conclude/engine-analysis.js";
import type { MeasurementPlan } from "../../plan/stage.js";
import {
  engineMeasurement,
  speedupClaim,
  type EngineMeasurementOptions,
} from "./engine-measurement.js";
import { drawPrompt, graphFile, type EngineDtype, type FindEngineModel } from "./engine-model.js";
import { decodeMilliseconds, openOwn, ownName, takeTimed } from "./own-engine.js";
import { openPeer, peerName } from "./peer-engine.js";
import { versionsTerm, threadsTerm } from "./terms.js";

/** How much of a measurement to do. */
export type RaceSize = Pick<
  EngineMeasurementOptions,
  "blocks" | "warmUpBlocks" | "timeBudgetSeconds" | "expectedSeconds"
>;

export interface DecodeSpeedOptions extends RaceSize {
  readonly dtype: EngineDtype;
  /** Length of the prompt. */
  readonly contextTokens: number;
  /** Made in each run, ≥ 2. */
  readonly tokens: number;
  /** Threads of both engines; undefined for each engine's own default. */
  readonly threads: number | undefined;
  /** What is promised; undefined where only the numbers are wanted. */
  readonly leastSpeedup?: number;
  readonly findModel: FindEngineModel;
}

const peerAgain = `${peerName} again`;

/**
 * Time per token from the first to the last, at a context, against transformers.js.
 * Neither runs the prompt in each block: both keep its keys and values from their
 * first run, the one by `prefixReuse`, the other by its `past_key_values`.
 */
export function decodeSpeed(options: DecodeSpeedOptions): MeasurementPlan {
  const { dtype, contextTokens, tokens, threads, leastSpeedup, findModel, ...size } = options;
  const settings = threads === undefined ? "-defaults" : "";
  return engineMeasurement({
    ...size,
    id: `decode-${dtype}-${contextTokens}${settings}`,
    title:
      `Decoding, ${dtype}, ${contextTokens} tokens of context` +
      (threads === undefined ? ", default settings" : ""),
    unit: timePerToken,
    baselines: [peerName],
    claims:
      leastSpeedup === undefined ? [] : [speedupClaim(leastSpeedup, ownName, peerName, peerAgain)],
    async open(context) {
      const { folder, vocabularySize } = await findModel(context);
      const prompt = drawPrompt(context.seed, contextTokens, vocabularySize);
      context.report?.("loading");
      const own = await openOwn(folder, { dtype, threads, prefixReuse: true });
      const { spinning, threads: ownThreads } = own.describe();
      const peer = await openPeer(
        folder,
        dtype,
        threads === undefined ? undefined : { threads, spinning },
      );
      const runPeer = async () => {
        const timed = await peer.continueFrom(prompt, tokens);
        return { value: decodeMilliseconds(timed), ids: timed.ids };
      };
      context.report?.("running the prompt");
      await takeTimed(own, prompt, 2);
      await peer.continueFrom(prompt, 2);
      return {
        contenders: [
          {
            name: ownName,
            run: async () => {
              const timed = await takeTimed(own, prompt, tokens);
              return { value: decodeMilliseconds(timed), ids: timed.ids };
            },
          },
          { name: peerName, run: runPeer },
          { name: peerAgain, run: runPeer },
        ],
        terms: [
          `The same file ${graphFile(dtype)} of a model with random weights, the same ${contextTokens} ids as the prompt, and ${tokens} tokens, greedy, past the end of the text; the ids are equal.`,
          `From the first token to the last, so that the prompt is left out; its keys and values are kept from block to block (streamgauge: prefixReuse; transformers.js: past_key_values).`,
          threads === undefined
            ? `Each with its own defaults: streamgauge ${ownThreads} thread(s), ${spinning ? "spinning" : "not spinning"}; transformers.js all cores, spinning.`
            : threadsTerm(threads, spinning),
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
