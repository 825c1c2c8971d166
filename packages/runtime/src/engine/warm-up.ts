import { CollectingSink, StreamgaugeError, messageOf, resolveConfig } from "@streamgauge/core";
import { decode } from "./decode.js";
import type { Model } from "./model.js";

/**
 * Makes a few tokens, so that the first request does not pay for memory that
 * onnxruntime allocates and code that V8 compiles only when they are first used.
 */
export async function warmUp(model: Model, folder: string): Promise<void> {
  const make = async (prompt: readonly number[], maxTokens: number): Promise<void> => {
    const sink = new CollectingSink(false, () => undefined);
    const request = { prompt, config: resolveConfig({ maxTokens }) };
    await decode(model, request, sink, performance.now());
  };
  const [first = 0] = model.encode?.("a") ?? [];
  const id = first < model.vocabularySize ? first : 0;
  // Several: some graphs return other caches for a prompt than for a step.
  await make([id, id, id].slice(0, model.contextLength - 1), 4);
  await checkHighestId(model.vocabularySize - 1, folder, (highest) => make([highest], 1));
  // No call begins with something that nobody asked for.
  model.forget();
}

/** @throws StreamgaugeError `MODEL_UNSUPPORTED` where ids could be chosen that cannot be run */
async function checkHighestId(
  id: number,
  folder: string,
  run: (id: number) => Promise<void>,
): Promise<void> {
  try {
    await run(id);
  } catch (cause) {
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `The graph in ${folder} cannot run id ${id}, the highest by the width of its logits or, where ` +
        `it does not say that, by its configuration's vocab_size (${messageOf(cause)}). Take graph ` +
        `and configuration from the same checkpoint.`,
      { cause },
    );
  }
}
