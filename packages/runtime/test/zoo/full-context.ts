import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  createFloats,
  floatTensor,
  isFloatType,
  widenFloats,
} from "../../src/engine/float-tensor.js";

/** The plainest and slowest decoding: each step runs all ids on an empty cache. */
export interface FullContext {
  /** `count` ids after the prompt by argmax. */
  greedy(prompt: readonly number[], count: number): Promise<number[]>;
  release(): Promise<void>;
}

/** Opens the one graph of a row's folder. */
export async function openFullContext(folder: string): Promise<FullContext> {
  const session = await openZooSession(folder);
  return {
    async greedy(prompt, count) {
      const ids = [...prompt];
      while (ids.length < prompt.length + count) {
        const feeds = { ...emptyPasts(session), ...idFeeds(session, ids, 0) };
        const { logits } = await session.run(feeds, ["logits"]);
        ids.push(argmaxOfLast(logits as Tensor));
      }
      return ids.slice(prompt.length);
    },
    release: () => session.release(),
  };
}

/** A session of the one graph in a row's folder, on one thread. */
export async function openZooSession(folder: string): Promise<InferenceSession> {
  return await InferenceSession.create(graphOf(folder), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
}

function graphOf(folder: string): string {
  const genai = join(folder, "genai_config.json");
  if (existsSync(genai)) {
    const config = JSON.parse(readFileSync(genai, "utf8")) as {
      model: { decoder: { filename: string } };
    };
    return join(folder, config.model.decoder.filename);
  }
  for (const place of [join(folder, "onnx"), folder]) {
    const file = existsSync(place) && readdirSync(place).find((name) => name.endsWith(".onnx"));
    if (typeof file === "string") return join(place, file);
  }
  throw new Error(`There is no graph in ${folder}.`);
}

/** Caches without rows. */
export function emptyPasts(session: InferenceSession): Record<string, Tensor> {
  const pasts: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor || !isFloatType(input.type)) continue;
    const [, heads, , headSize] = input.shape;
    const dims = [1, Number(heads), 0, Number(headSize)];
    pasts[input.name] = floatTensor(input.type, createFloats(input.type, 0), dims);
  }
  return pasts;
}

/** What else than the cache a session is fed for ids behind so many rows. */
export function idFeeds(
  session: InferenceSession,
  ids: readonly number[],
  past: number,
): Record<string, Tensor> {
  const values: Record<string, readonly number[]> = {
    input_ids: ids,
    attention_mask: Array.from({ length: past + ids.length }, () => 1),
    position_ids: ids.map((_, at) => past + at),
  };
  const feeds: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    const { name } = input;
    const own = values[name];
    if (own !== undefined && input.isTensor) {
      const data = input.type === "int32" ? Int32Array.from(own) : BigInt64Array.from(own, BigInt);
      feeds[name] = new Tensor(input.type, data, [1, own.length]);
    } else if (name === "num_logits_to_keep") {
      feeds[name] = new Tensor("int64", BigInt64Array.of(1n), []);
    } else if (name === "use_cache_branch") {
      feeds[name] = new Tensor("bool", Uint8Array.of(past > 0 ? 1 : 0), [1]);
    }
  }
  return feeds;
}

/** Index of the largest logit at the last position. */
export function argmaxOfLast(logits: Tensor): number {
  const width = logits.dims.at(-1) ?? 0;
  const row = widenFloats(logits, logits.size - width);
  let best = 0;
  for (const [id, value] of row.entries()) if (value > (row[best] ?? 0)) best = id;
  return best;
}
