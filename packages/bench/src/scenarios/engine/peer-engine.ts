import { basename, dirname } from "node:path";
import type * as Transformers from "@huggingface/transformers";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import type { EngineDtype } from "./engine-model.js";

/** How {@link openPeer} opens transformers.js; undefined for its own defaults. */
export interface PeerSettings {
  readonly threads: number;
  readonly spinning: boolean;
}

/** When each id was there, in nanoseconds of `performance.now()`. */
export interface TimedIds {
  readonly ids: readonly number[];
  readonly atNanoseconds: readonly number[];
}

/** Another engine on one model. */
export interface Peer {
  /** The name that tables use. */
  readonly name: "transformers.js" | "llama.cpp";
  /** Whether it computes as ours does, and so makes the same ids; otherwise it rounds in its own way. */
  readonly makesOurIds: boolean;
  /** Greedy, past the end of the text, from the whole prompt. */
  generate(prompt: readonly number[], tokens: number): Promise<TimedIds>;
  /**
   * Generates from a cache that holds all of the prompt but its last two ids. The
   * first call with a prompt makes the cache, which is kept; calls do not change it.
   */
  continueFrom(prompt: readonly number[], tokens: number): Promise<TimedIds>;
  close(): Promise<void>;
}

/** The name that tables use. */
export const peerName = "transformers.js" as const;

/**
 * Loads a model folder with `@huggingface/transformers`, which has to be
 * installed beside the bench.
 *
 * @throws StreamgaugeError `ENGINE_FAILED` when it is not there or does not load the model
 */
export async function openPeer(
  folder: string,
  dtype: EngineDtype,
  settings: PeerSettings | undefined,
): Promise<Peer> {
  const library = await loadLibrary();
  const { AutoModelForCausalLM, DynamicCache, Tensor, env } = library;
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
    dtype,
    device: "cpu",
    ...(settings !== undefined && {
      session_options: {
        intraOpNumThreads: settings.threads,
        interOpNumThreads: 1,
        extra: { session: { intra_op: { allow_spinning: settings.spinning ? "1" : "0" } } },
      },
    }),
  });
  type Cache = InstanceType<typeof DynamicCache>;
  let kept: { readonly prompt: readonly number[]; readonly cache: Cache } | undefined;

  async function run(
    prompt: readonly number[],
    tokens: number,
    options: Record<string, unknown>,
  ): Promise<TimedIds & { readonly answer: unknown }> {
    const ids: number[] = [];
    const atNanoseconds: number[] = [];
    let isPromptSeen = false;
    const shape = [1, prompt.length];
    const answer: unknown = await model.generate({
      input_ids: new Tensor("int64", BigInt64Array.from(prompt, BigInt), shape),
      attention_mask: new Tensor("int64", new BigInt64Array(prompt.length).fill(1n), shape),
      max_new_tokens: tokens,
      do_sample: false,
      top_k: 0,
      eos_token_id: null,
      streamer: {
        put([made = []]: (number | bigint)[][]) {
          // The first call brings the prompt.
          if (!isPromptSeen) {
            isPromptSeen = true;
            return;
          }
          atNanoseconds.push(performance.now() * 1e6);
          ids.push(Number(made[0]));
        },
        end: () => undefined,
      },
      ...options,
    } as never);
    return { ids, atNanoseconds, answer };
  }

  return {
    name: peerName,
    makesOurIds: true,
    generate: (prompt, tokens) => run(prompt, tokens, {}),
    async continueFrom(prompt, tokens) {
      if (kept?.prompt !== prompt) {
        const { answer } = await run(prompt.slice(0, -2), 1, { return_dict_in_generate: true });
        kept = { prompt, cache: (answer as { past_key_values: Cache }).past_key_values };
      }
      // A call takes its rows into the cache it is given: each gets one of its own.
      const cache = new DynamicCache(Object.fromEntries(Object.entries(kept.cache)));
      return await run(prompt, tokens, { past_key_values: cache });
    },
    async close() {
      await model.dispose();
    },
  };
}

/** Its version; null where it is not installed. */
export async function peerVersion(): Promise<string | null> {
  const { env } = await loadLibrary();
  return env.version;
}

async function loadLibrary(): Promise<typeof Transformers> {
  try {
    return await import("@huggingface/transformers");
  } catch (cause) {
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `@huggingface/transformers, which the engine is compared with, does not load ` +
        `(${messageOf(cause)}). Install it beside the bench: npm install @huggingface/transformers.`,
      { cause },
    );
  }
}
