import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  deltaCachePatch,
  deltaCacheShape,
  lastLogitsOutput,
  newRowsHead,
  newRowsOutput,
  readGraphSummary,
  withdrawOutputs,
} from "@streamgauge/runtime/onnx";
import { graphFile, type EngineDtype } from "./engine-model.js";

/** A loop around `session.run` and nothing else. */
export interface BareLoop {
  /** Greedy, from an empty cache. */
  generate(prompt: readonly number[], tokens: number): Promise<number[]>;
  close(): Promise<void>;
}

export interface BareLoopOptions {
  readonly folder: string;
  readonly dtype: EngineDtype;
  readonly threads: number;
  readonly spinning: boolean;
  /** Rows of the cache, as many as the engine would have. */
  readonly capacity: number;
}

/**
 * The least that any host has to do over the patched graph with a cache of this
 * capacity: feed ids, mask and buffers, copy the new rows into them, and take the
 * likeliest id. No options, no checks, no text, no delivery.
 */
export async function openBareLoop(options: BareLoopOptions): Promise<BareLoop> {
  const { folder, dtype, threads, spinning, capacity } = options;
  const file = join(folder, graphFile(dtype));
  const graph = await readFile(file);
  const summary = readGraphSummary(graph, file);
  const patch = deltaCacheShape(summary);
  if (patch === undefined) throw new TypeError(`${file} has no cache that the patch fits.`);
  withdrawOutputs(
    graph,
    summary.outputs.filter((name) => name.startsWith("present.")),
  );
  const session = await InferenceSession.create(Buffer.concat([graph, deltaCachePatch(patch)]), {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: {
      session: {
        intra_op: { allow_spinning: spinning ? "1" : "0" },
        model_external_initializers_file_folder_path: dirname(file),
      },
    },
  });
  const entries = session.inputMetadata
    .filter(({ name }) => name.startsWith("past_key_values."))
    .map((input) => {
      const shape = input.isTensor ? input.shape : [];
      const heads = Number(shape[1]);
      const headSize = Number(shape[3]);
      const [, layer, part] = /\.(\d+)\.(key|value)$/.exec(input.name) ?? [];
      const buffer = new Float32Array(heads * capacity * headSize);
      return {
        buffer,
        heads,
        headSize,
        addedHead: newRowsHead(heads, Number(layer), part as "key" | "value"),
        past: input.name,
        tensor: new Tensor("float32", buffer, [1, heads, capacity, headSize]),
      };
    });
  const feeds = Object.fromEntries(entries.map(({ past, tensor }) => [past, tensor]));
  const fetches = [lastLogitsOutput, newRowsOutput];
  const ones = new BigInt64Array(capacity).fill(1n);

  return {
    async generate(prompt, tokens) {
      const made: number[] = [];
      let ids = prompt;
      let length = 0;
      for (;;) {
        const rows = ids.length;
        const total = length + rows;
        const results = await session.run(
          {
            ...feeds,
            input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, rows]),
            attention_mask: new Tensor("int64", ones.subarray(0, total), [1, total]),
          },
          fetches,
        );
        const source = (results[newRowsOutput] as Tensor).data as Float32Array;
        for (const { addedHead, buffer, heads, headSize } of entries) {
          for (let head = 0; head < heads; head++) {
            const from = (addedHead + head) * rows * headSize;
            buffer.set(
              source.subarray(from, from + rows * headSize),
              (head * capacity + length) * headSize,
            );
          }
        }
        length = total;
        const id = likeliest((results[lastLogitsOutput] as Tensor).data as Float32Array);
        made.push(id);
        if (made.length === tokens) return made;
        ids = [id];
      }
    },
    close: () => session.release(),
  };
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) {
    if ((logits[id] as number) > (logits[best] as number)) best = id;
  }
  return best;
}
