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
  const decoder = readDecoder(folder);
  const ring = decoder?.sliding_window;
  const names = { ...decoder?.inputs, ...decoder?.outputs };
  const own = (name: string): string => names[name] ?? name;
  return {
    async greedy(prompt, count) {
      const ids = [...prompt];
      while (ids.length < prompt.length + count) {
        // A ring has to be as long as its window; with room for all, nothing leaves it.
        const rows = ring === undefined ? 0 : Math.max(ring.window_size, ids.length);
        const feeds = {
          ...emptyPasts(session, { rows, headSize: decoder?.head_size }),
          ...idFeeds(session, ids, 0, own),
        };
        const results = await session.run(feeds, [own("logits")]);
        ids.push(argmaxOfLast(results[own("logits")] as Tensor));
      }
      return ids.slice(prompt.length);
    },
    release: () => session.release(),
  };
}

/** What a `genai_config.json` says of the decoder. */
interface GenaiDecoder {
  readonly filename: string;
  readonly head_size?: number;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly sliding_window?: { readonly window_size: number };
}

function readDecoder(folder: string): GenaiDecoder | undefined {
  const file = join(folder, "genai_config.json");
  if (!existsSync(file)) return undefined;
  return (JSON.parse(readFileSync(file, "utf8")) as { model: { decoder: GenaiDecoder } }).model
    .decoder;
}

/** A session of the one graph in a row's folder, on one thread. */
export async function openZooSession(folder: string): Promise<InferenceSession> {
  return await InferenceSession.create(graphOf(folder), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
}

function graphOf(folder: string): string {
  const decoder = readDecoder(folder);
  if (decoder !== undefined) return join(folder, decoder.filename);
  for (const place of [join(folder, "onnx"), folder]) {
    const file = existsSync(place) && readdirSync(place).find((name) => name.endsWith(".onnx"));
    if (typeof file === "string") return join(place, file);
  }
  throw new Error(`There is no graph in ${folder}.`);
}

/**
 * Caches without valid rows, and states of nothing.
 *
 * @param options.rows how many they have that mean nothing; default 0
 * @param options.headSize for a graph that does not say it
 */
export function emptyPasts(
  session: InferenceSession,
  { rows = 0, headSize }: { rows?: number; headSize?: number | undefined } = {},
): Record<string, Tensor> {
  const pasts: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    if (!input.isTensor || !isFloatType(input.type)) continue;
    const [, heads, , width] = input.shape;
    const isState = !/(key|value)[._\d]*$/.test(input.name);
    const dims = isState
      ? [1, ...input.shape.slice(1).map(Number)]
      : [1, Number(heads), rows, typeof width === "number" ? width : Number(headSize)];
    const size = dims.reduce((product, length) => product * length, 1);
    pasts[input.name] = floatTensor(input.type, createFloats(input.type, size), dims);
  }
  return pasts;
}

/**
 * What else than the cache a session is fed for ids behind so many rows.
 *
 * @param own what the graph calls an input; default: as everybody does
 */
export function idFeeds(
  session: InferenceSession,
  ids: readonly number[],
  past: number,
  own: (name: string) => string = (name) => name,
): Record<string, Tensor> {
  const values: Record<string, readonly number[]> = {
    [own("input_ids")]: ids,
    [own("attention_mask")]: Array.from({ length: past + ids.length }, () => 1),
    [own("position_ids")]: ids.map((_, at) => past + at),
  };
  const feeds: Record<string, Tensor> = {};
  for (const input of session.inputMetadata) {
    const { name } = input;
    const numbers = values[name];
    if (numbers !== undefined && input.isTensor) {
      const data =
        input.type === "int32" ? Int32Array.from(numbers) : BigInt64Array.from(numbers, BigInt);
      feeds[name] = new Tensor(input.type, data, [1, numbers.length]);
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
