import { invalidOption } from "@streamgauge/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { hubPrefix } from "../hub/hub-name.js";
import { buildDtypes, type BuildDtype } from "../onnx/model-dtype.js";
import { createBytesDisplay, megabytes } from "./bytes-display.js";
import { interruptible } from "./interruptible.js";

interface BuildOptions {
  readonly dtype: readonly BuildDtype[];
  readonly externalData?: true;
  readonly gguf?: true;
  readonly randomWeights?: true;
}

const known = buildDtypes.join(", ");

/** The `build-model` command: ONNX, or GGUF, from a safetensors checkpoint. */
export function buildModelCommand(): Command {
  return new Command("build-model")
    .summary("Build an ONNX model folder from a Hugging Face checkpoint.")
    .description(
      "Build an ONNX model folder from a Hugging Face checkpoint of Llama, Qwen2, Qwen3, Mistral, " +
        "SmolLM3, Granite, OLMo-2, Gemma-3 (text), Phi-3 or Phi-4-mini.",
    )
    .argument("<checkpoint>", "folder with config.json, safetensors and tokenizer files")
    .argument("<out>", "model folder to make; an earlier build there is replaced")
    .addOption(
      new Option("--dtype <list>", `how to store the numbers: one or several of ${known}`)
        .argParser(dtypes)
        .default(["fp32"], "fp32"),
    )
    .option("--external-data", "keep weights beside the graph, also when they fit into its 2 GiB")
    .option("--gguf", "build files for llama.cpp instead, of a Llama: in fp32, q8 or q4")
    .option(
      "--random-weights",
      "random weights, from a config.json alone: shows how large and how fast the model will be",
    )
    .addHelpText(
      "after",
      `
  fp32, fp16   as they are, in 4 or 2 bytes; fp16 halves the cache too
  q8, int8     8 bits in blocks of 32: as good as fp32, a quarter of its size; one format, two names
  q4, q4f16    4 bits in blocks of 32: fastest; q4f16 computes and caches in half precision
               Gemma-3 is not built in fp16 and q4f16: its activations grow beyond half precision

The folder appears when it is complete; Ctrl-C leaves nothing behind. This runtime and
transformers.js open it. Of several dtypes the first opens by default.

With --gguf it holds model-f32.gguf (fp32), model-q8_0.gguf (q8) and model-q4_0.gguf (q4), which this
runtime does not open. Every matrix is quantised, the embedding too.

Examples:
  $ streamgauge build-model ./Qwen2.5-0.5B ./models/qwen --dtype q4
  $ streamgauge build-model ./SmolLM2-135M ./models/smol --dtype q4,fp16,fp32
  $ streamgauge build-model ./SmolLM2-135M ./models/smol-gguf --gguf --dtype q8,q4
  $ streamgauge build-model ./only-a-config.json-in-it ./models/shape --dtype q4 --random-weights
  $ streamgauge generate "Once upon a time" --model ./models/smol --dtype fp16`,
    )
    .action(build);
}

/** Any: speed and memory do not depend on it. */
const randomSeed = 1851;

async function build(checkpoint: string, out: string, options: BuildOptions): Promise<void> {
  if (checkpoint.startsWith(hubPrefix)) {
    throw invalidOption(
      `${checkpoint} names a model that was pulled, and \`pull\` takes graphs, which need no build. ` +
        `Download the checkpoint itself, and give its folder.`,
    );
  }
  const display = createBytesDisplay(process.stderr);
  const startedAt = performance.now();
  const totalBytes = await interruptible(
    async (signal) => {
      const { buildModel } = await import("../onnx/index.js");
      let builtBytes = 0;
      await buildModel({
        checkpoint,
        out,
        dtypes: options.dtype,
        ...(options.externalData === undefined ? {} : { externalData: options.externalData }),
        ...(options.gguf === undefined ? {} : { format: "gguf" }),
        ...(options.randomWeights && { randomSeed }),
        signal,
        onProgress: ({ file, tensor, writtenBytes, totalBytes: allBytes }) => {
          builtBytes = allBytes;
          display.update(writtenBytes, allBytes, `${file}: ${tensor}`);
        },
      });
      // Whoever interrupts too late gets the folder.
      return builtBytes;
    },
    { display, message: "Interrupted; nothing was left behind." },
  );
  if (totalBytes === undefined) return;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(
    `Built ${out} (${options.dtype.join(", ")}): ${megabytes(totalBytes)} in ${seconds} s\n`,
  );
}

function dtypes(list: string): readonly BuildDtype[] {
  return list.split(",").map((word) => {
    const found = buildDtypes.find((dtype) => dtype === word.trim());
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`"${word}" is none of ${known}.`);
  });
}
