import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import {
  canRunInPlace,
  endOutput,
  inPlacePatch,
  largestLogitsOutput,
  lastLogitsOutput,
  readGraphSummary,
  runInPlace,
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
  readonly vocabularySize: number;
  /** Rows of the cache, as many as the engine would have. */
  readonly capacity: number;
}

/**
 * The least that any host has to do over the patched graph with a cache of this
 * capacity: feed ids, mask and buffers, and take the likeliest id. No options, no
 * checks, no text, no delivery.
 */
export async function openBareLoop(options: BareLoopOptions): Promise<BareLoop> {
  const { folder, dtype, threads, spinning, vocabularySize, capacity } = options;
  const file = join(folder, graphFile(dtype));
  const graph = await readFile(file);
  const summary = readGraphSummary(graph, file);
  if (!canRunInPlace(summary)) throw new TypeError(`${file} cannot run in place.`);
  withdrawOutputs(graph, summary.outputs);
  const presents = summary.outputs.filter((name) => name.startsWith("present."));
  const patch = inPlacePatch(presents, summary.operatorSets.get("") ?? 0);
  const session = await InferenceSession.create(Buffer.concat([graph, patch]), {
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
  const logits = new Float32Array(vocabularySize);
  const largest = new Float32Array(1);
  const feeds: Record<string, Tensor> = {};
  const fetches: Record<string, Tensor | null> = {
    [endOutput]: null,
    [lastLogitsOutput]: new Tensor("float32", logits, [1, vocabularySize]),
    [largestLogitsOutput]: new Tensor("float32", largest, [1]),
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
        await runInPlace(session, feeds, fetches);
        length = total;
        const id = logits.indexOf(largest[0] as number);
        made.push(id);
        if (made.length === tokens) return made;
        ids = [id];
      }
    },
    close: () => session.release(),
  };
}
