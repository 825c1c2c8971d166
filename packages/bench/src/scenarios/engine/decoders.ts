import type { MeasurementContext } from "../../plan/stage.js";
import type { Contender, ContenderRun } from "./engine-measurement.js";
import { drawPrompt, type EngineDtype, type FindEngineModel } from "./engine-model.js";
import type { Keep } from "../../plan/opened.js";
import { decodeMilliseconds, openOwn, ownName, takeTimed } from "./own-engine.js";
import { openRivals, rivalContenders, type RivalName, type Rivals } from "./rivals.js";

/** What {@link openDecoders} opens. */
export interface DecodersOptions {
  readonly dtype: EngineDtype;
  /** Length of the prompt. */
  readonly contextTokens: number;
  /** Made in each run, ≥ 2. */
  readonly tokens: number;
  /** Threads of all engines; undefined for each engine's own default. */
  readonly threads: number | undefined;
  readonly rivals: readonly RivalName[];
  /** Names of those that run a second time in each block. */
  readonly twice: readonly string[];
  readonly findModel: FindEngineModel;
}

/** Ours and others that decode from the same context, which all have run already. */
export interface Decoders extends Pick<Rivals, "leftOut" | "terms"> {
  readonly contenders: readonly Contender[];
  /** Of ours. */
  readonly threads: number;
  readonly spinning: boolean;
}

/**
 * Opens engines that decode at a context. None runs the prompt again in each run: all keep its
 * keys and values from their first one, ours by `prefixReuse`, transformers.js by its
 * `past_key_values`, llama.cpp in its sequence.
 *
 * @param keep closes them
 */
export async function openDecoders(
  options: DecodersOptions,
  context: MeasurementContext,
  keep: Keep,
): Promise<Decoders> {
  const { dtype, contextTokens, tokens, threads, rivals, twice, findModel } = options;
  const model = await findModel(context);
  const prompt = drawPrompt(context.seed, contextTokens, model.vocabularySize);
  context.report?.("loading");
  const own = keep(await openOwn(model.folder, { dtype, threads, prefixReuse: true }));
  const { spinning, threads: ownThreads } = own.describe();
  const settings = { dtype, threads, spinning, contextTokens: contextTokens + tokens };
  const opened = await openRivals(rivals, model, settings, keep);
  context.report?.("running the prompt");
  await takeTimed(own, prompt, 2);
  for (const peer of opened.peers) await peer.continueFrom(prompt, 2);
  const runOwn = async (): Promise<ContenderRun> => {
    const timed = await takeTimed(own, prompt, tokens);
    return { value: decodeMilliseconds(timed), ids: timed.ids };
  };
  return {
    contenders: [
      { name: ownName, run: runOwn },
      ...rivalContenders(opened, twice, async (peer) => {
        const timed = await peer.continueFrom(prompt, tokens);
        return { value: decodeMilliseconds(timed), ids: timed.ids };
      }),
    ],
    leftOut: opened.leftOut,
    terms: opened.terms,
    threads: ownThreads,
    spinning,
  };
}
