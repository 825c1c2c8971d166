import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  endOutput,
  largestLogitsOutput,
  lastLogitsOutput,
  lastPositionsInput,
  runInPlace,
} from "@streamgauge/runtime/onnx";
import type { Turns } from "./turns.js";

/**
 * Opens an engine of this thread over another session than the one it creates, and
 * gives that one. Two sessions of one graph differ by a percent or two, by where
 * their memory happens to lie; and the runtime hands out none.
 *
 * @param replace gives the engine's session
 */
export async function openWithSession<Engine>(
  open: () => Promise<Engine>,
  replace: (session: InferenceSession) => InferenceSession,
): Promise<{ readonly engine: Engine; readonly session: InferenceSession }> {
  const create = InferenceSession.create.bind(InferenceSession) as (
    ...options: unknown[]
  ) => Promise<InferenceSession>;
  const own = Object.getOwnPropertyDescriptor(InferenceSession, "create") ?? {};
  let session: InferenceSession | undefined;
  const watching = async (...options: unknown[]): Promise<InferenceSession> =>
    replace((session = await create(...options)));
  Object.defineProperty(InferenceSession, "create", { ...own, value: watching });
  try {
    const engine = await open();
    if (session === undefined) throw new TypeError("The engine has opened no session.");
    return { engine, session };
  } finally {
    Object.defineProperty(InferenceSession, "create", own);
  }
}

/** Wraps a session so that each of its runs begins with a turn. */
export function runInTurns(session: InferenceSession, turns: Turns): InferenceSession {
  const run = async (...options: Parameters<InferenceSession["run"]>): Promise<unknown> => {
    await turns.pause();
    return await session.run(...options);
  };
  return Object.create(session, { run: { value: run } }) as InferenceSession;
}

/** A loop around `session.run` and nothing else. */
export interface BareLoop {
  /** Greedy, from an empty cache. */
  generate(prompt: readonly number[], tokens: number): Promise<number[]>;
}

export interface BareLoopOptions {
  /** A session of a model that runs in place. */
  readonly session: InferenceSession;
  readonly vocabularySize: number;
  /** Rows of the cache, as many as the engine has. */
  readonly capacity: number;
}

/**
 * The least that any host has to do over a session with a cache of this
 * capacity: feed ids, mask and buffers, and take the likeliest id. No options, no
 * checks, no text, no delivery.
 */
export function createBareLoop({ session, vocabularySize, capacity }: BareLoopOptions): BareLoop {
  const logits = new Float32Array(2 * vocabularySize);
  const largest = new Float32Array(2);
  const feeds: Record<string, Tensor> = {};
  const fetches: Record<string, Tensor | null> = { [endOutput]: null };
  const fetchLogits = (positions: number): void => {
    const from = BigInt64Array.from({ length: positions }, (_, index) => BigInt(index - positions));
    feeds[lastPositionsInput] = new Tensor("int64", from, [1, positions, 1]);
    const rows = logits.subarray(0, positions * vocabularySize);
    fetches[lastLogitsOutput(session)] = new Tensor("float32", rows, [
      1,
      positions,
      vocabularySize,
    ]);
    const most = largest.subarray(0, positions);
    fetches[largestLogitsOutput] = new Tensor("float32", most, [1, positions]);
  };
  for (const input of session.inputMetadata) {
    if (!input.name.startsWith("past_key_values.")) continue;
    const [, heads, , headSize] = input.isTensor ? input.shape.map(Number) : [];
    const dims = [1, heads as number, capacity, headSize as number];
    const buffer = new Float32Array(dims.reduce((product, size) => product * size));
    const tensor = new Tensor("float32", buffer, dims);
    feeds[input.name] = tensor;
    fetches[input.name.replace("past_key_values", "present")] = tensor;
  }
  const ones = new BigInt64Array(capacity).fill(1n);

  return {
    async generate(prompt, tokens) {
      const made: number[] = [];
      let ids = prompt;
      let length = 0;
      for (;;) {
        const rows = ids.length;
        const total = length + rows;
        feeds["input_ids"] = new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, rows]);
        feeds["attention_mask"] = new Tensor("int64", ones.subarray(0, total), [1, total]);
        // Two positions of a prompt, as the engine asks for: kernels for one position round in their own way.
        const positions = Math.min(2, rows);
        fetchLogits(positions);
        await runInPlace(session, feeds, fetches);
        length = total;
        const from = (positions - 1) * vocabularySize;
        const id = logits.indexOf(largest[positions - 1] as number, from) - from;
        made.push(id);
        if (made.length === tokens) return made;
        ids = [id];
      }
    },
  };
}
