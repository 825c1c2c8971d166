import { Command, InvalidArgumentError, Option } from "commander";
import type { GenerationConfig } from "@streamgauge/core";
import type { EngineOptions } from "../host/options.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";

interface GenerateOptions {
  readonly model?: string;
  readonly dtype?: ModelDtype;
  readonly threads?: number;
  readonly inline?: true;
  readonly maxTokens: number;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly ignoreEos?: true;
  readonly greedy?: true;
  readonly stats: boolean;
}

/** 128 + the number of SIGINT, as shells have it. */
const interruptedExitCode = 130;

/** The `generate` command of the command line. */
export function generateCommand(): Command {
  return new Command("generate")
    .description("Continue a prompt, and print the text as it is made.")
    .argument("<prompt>", "text to continue")
    .option(
      "--model <folder>",
      "model folder in the Hugging Face layout (default: the embedded one)",
    )
    .addOption(
      new Option(
        "--dtype <name>",
        "which of the folder's graphs (default: what config.json says)",
      ).choices(modelDtypes),
    )
    .option("--max-tokens <n>", "most tokens to make", number, 128)
    .option("--greedy", "always take the likeliest token")
    .option("--temperature <t>", "0 is greedy (default: what the model recommends)", number)
    .option("--top-k <n>", "draw from the n likeliest tokens only", number)
    .option("--top-p <p>", "draw from the likeliest tokens that sum to p only", number)
    .option("--seed <n>", "seed of the draws (default: another one each time)", number)
    .option("--ignore-eos", "go on behind the model's end-of-sequence token")
    .option("--threads <n>", "threads that work on one step", number)
    .option("--inline", "run the model in the main thread instead of a worker")
    .option("--no-stats", "leave out the line of figures")
    .addHelpText(
      "after",
      `
The text goes to standard output, the line of figures behind it to standard error.
Ctrl-C stops after the token that is being made.

Examples:
  $ streamgauge generate "Call me Ishmael."
  $ streamgauge generate "And God said," --seed 7 --temperature 0.7 --top-p 0.9`,
    )
    .action(async (prompt: string, options: GenerateOptions) => {
      await generate(prompt, options, process.stderr);
    });
}

/** The `demo` command: `generate` with everything chosen, and its figures in the output. */
export function demoCommand(): Command {
  return new Command("demo")
    .description("Watch the embedded model write, token by token.")
    .argument("[prompt]", "text to continue", "It is not down in any map;")
    .action(async (prompt: string) => {
      await generate(prompt, { maxTokens: 200, seed: 23, stats: true }, process.stdout);
    });
}

async function generate(
  prompt: string,
  options: GenerateOptions,
  statsTo: NodeJS.WritableStream,
): Promise<void> {
  const interrupt = new AbortController();
  // Stays on: a task runner can pass on the signal that the terminal has sent already.
  const onInterrupt = (): void => interrupt.abort();
  process.on("SIGINT", onInterrupt);
  try {
    // Loaded here, so that --help does not load onnxruntime.
    const { createInlineGenerator, createRuntime } = await import("../index.js");
    const engine: EngineOptions = {
      ...(options.model === undefined ? {} : { model: options.model }),
      ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    };
    await using generator =
      options.inline === true ? await createInlineGenerator(engine) : await createRuntime(engine);
    const about = generator.describe();
    const calledAt = performance.now();
    let firstAt: number | undefined;
    const config = { ...toConfig(options, about.recommendedSampling), signal: interrupt.signal };
    const result = await generator.generateStream(
      prompt,
      ({ text }) => {
        if (firstAt === undefined) {
          firstAt = performance.now();
          process.stdout.write(prompt);
        }
        process.stdout.write(text);
      },
      config,
    );
    process.stdout.write("\n");
    if (result.finishReason === "aborted") process.exitCode = interruptedExitCode;
    if (!options.stats) return;
    const tokens = result.ids.length;
    const tokensPerSecond = (tokens / (performance.now() - calledAt)) * 1000;
    const timeToFirstToken = firstAt === undefined ? "–" : `${(firstAt - calledAt).toFixed(1)} ms`;
    statsTo.write(
      `\n${tokens} tokens, ${tokensPerSecond.toFixed(0)} tokens/s, TTFT ${timeToFirstToken} ` +
        `(${about.model}, ${"workers" in about ? "worker thread" : "main thread"}, ` +
        `finish: ${result.finishReason})\n`,
    );
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

function toConfig(
  options: GenerateOptions,
  recommended: { readonly temperature: number; readonly topK?: number; readonly topP?: number },
): GenerationConfig {
  const { maxTokens, temperature, topK, topP, seed, ignoreEos, greedy } = options;
  const chosen = {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topK === undefined ? {} : { topK }),
    ...(topP === undefined ? {} : { topP }),
  };
  // The model's own advice is one set: whoever chooses a part chooses all of it.
  const isChosen = Object.keys(chosen).length > 0;
  const sampling =
    greedy === true
      ? { temperature: 0, ...chosen }
      : isChosen
        ? { temperature: 1, ...chosen }
        : recommended;
  return {
    maxTokens,
    ...sampling,
    ...(seed === undefined ? {} : { seed }),
    ...(ignoreEos === true ? { ignoreEos } : {}),
  };
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`"${text}" is not a number.`);
}
