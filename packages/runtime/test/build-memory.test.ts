import { execFile } from "node:child_process";
import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import type { BuildDtype } from "@streamgauge/runtime/onnx";
import { expect, it } from "vitest";

import { parseDecoderConfig } from "../src/onnx/build/decoder-config.js";
import { buildDecoderGraph } from "../src/onnx/build/decoder-graph.js";
import { ElementType } from "../src/onnx/protobuf.js";
import { temporaryFolder } from "./temporary-folder.js";

/** Their embedding is the largest tensor: 131 MB as float32. */
const sizes = {
  vocab_size: 64_000,
  hidden_size: 512,
  intermediate_size: 1024,
  num_hidden_layers: 2,
  num_attention_heads: 8,
  num_key_value_heads: 8,
  max_position_embeddings: 4096,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
};

const configs: readonly (readonly [
  name: string,
  dtype: BuildDtype,
  config: object,
  format: "onnx" | "gguf",
])[] = [
  ["Llama", "fp32", { architectures: ["LlamaForCausalLM"] }, "onnx"],
  ["Llama as GGUF", "q4", { architectures: ["LlamaForCausalLM"] }, "gguf"],
  ["OLMo-2", "fp16", { architectures: ["Olmo2ForCausalLM"] }, "onnx"],
  ["Phi-3, stacked matrices", "fp32", { architectures: ["Phi3ForCausalLM"] }, "onnx"],
  [
    "Gemma-3, whose norms are changed on the way",
    "q4",
    { architectures: ["Gemma3ForCausalLM"], head_dim: 64, sliding_window: 512 },
    "onnx",
  ],
];

/** Writes a checkpoint of bfloat16 zeros, a file that takes no room on most disks. */
async function writeZeros(folder: string, config: object): Promise<{ largest: number }> {
  const json = JSON.stringify({ ...sizes, ...config });
  await mkdir(folder);
  await writeFile(join(folder, "config.json"), json);
  const graph = buildDecoderGraph(parseDecoderConfig(json, "config.json"), {
    float: ElementType.float32,
  });
  const header: Record<string, object> = {};
  let end = 0;
  let largest = 0;
  for (const { name, shape } of graph.tensorGroups.flatMap(({ weights }) => weights)) {
    const elements = shape.reduce((product, size) => product * size, 1);
    header[name] = { dtype: "BF16", shape, data_offsets: [end, end + 2 * elements] };
    end += 2 * elements;
    largest = Math.max(largest, 4 * elements);
  }
  const bytes = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  const file = await open(join(folder, "model.safetensors"), "w");
  await file.write(Buffer.concat([length, bytes]));
  await file.truncate(8 + bytes.length + end);
  await file.close();
  return { largest };
}

/** Most bytes resident of a process that imports the builder and runs some code with it. */
async function peakBytes(code: string): Promise<number> {
  const builder = new URL("../dist/onnx/index.js", import.meta.url).href;
  const script = `import { buildModel } from ${JSON.stringify(builder)};
    ${code}
    console.log(process.resourceUsage().maxRSS * 1024);`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "--eval",
    script,
  ]);
  return Number(stdout);
}

it.each(configs)(
  "a build of %s in %s takes less than its largest tensor",
  async (_, dtype, config, format) => {
    const parent = await temporaryFolder();
    const checkpoint = join(parent, "checkpoint");
    const { largest } = await writeZeros(checkpoint, config);
    expect(largest).toBe(sizes.vocab_size * sizes.hidden_size * 4);
    const out = join(parent, "model");
    const options = JSON.stringify({ checkpoint, out, dtypes: [dtype], format });
    const before = await peakBytes("");
    const peak = await peakBytes(`await buildModel(${options});`);
    expect(peak - before).toBeLessThan(largest);
  },
);
