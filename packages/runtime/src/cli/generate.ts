import { Command, InvalidArgumentError } from "commander";
import {
  printable,
  printableJson,
  type GenerationConfig,
  type StreamToken,
} from "@streamgauge/core";
import type { RecommendedSampling } from "../engine/model-settings.js";
import { addEngineFlags, engineOptionsOf, type EngineFlags } from "./engine-flags.js";
import { showLoading } from "./show-loading.js";

/** The flags that are options of a generation, by the same names. */
type ConfigFlags = Pick<
  GenerationConfig,
  | "temperature"
  | "topK"
  | "topP"
  | "minP"
  | "typicalP"
  | "repetitionPenalty"
  | "presencePenalty"
  | "frequencyPenalty"
  | "minTokens"
  | "seed"
>;

interface GenerateOptions extends EngineFlags, ConfigFlags {
  readonly inline?: true;
  readonly maxTokens: number;
  readonly logitBias?: Readonly<Record<string, number>>;
  /** commander takes `--no-` for a negation, which is true until it is given. */
  readonly repeatNgramSize?: number | true;
  readonly stop?: readonly string[];
  readonly stopTokenId?: readonly number[];
  readonly ignoreEos?: true;
  readonly logprobs?: number | true;
  readonly greedy?: true;
  readonly stats: boolean;
  /** Whether the prompt is a user's message to be answered. */
  readonly chat?: true;
}

/** 128 + the number of SIGINT, as shells have it. */
const interruptedExitCode = 130;

/** The `generate` command of the command line. */
export function generateCommand(): Command {
  const command = new Command("generate")
    .description("Continue a prompt, and print the text as it is made.")
    .argument("<prompt>", "text to continue");
  return addEngineFlags(command)
    .option("--max-tokens <n>", "most tokens to make", number, 128)
    .option("--greedy", "always take the likeliest token")
    .option("--temperature <t>", "0 is greedy (default: what the model recommends)", number)
    .option("--top-k <n>", "draw from the n likeliest tokens only", number)
    .option("--top-p <p>", "draw from the likeliest tokens that sum to p only", number)
    .option("--min-p <p>", "draw from tokens at least p times as likely as the likeliest", number)
    .option("--typical-p <p>", "draw from the most typical tokens that sum to p only", number)
    .option(
      "--repetition-penalty <r>",
      "divide the scores (logits) of tokens that occurred by r",
      number,
    )
    .option("--presence-penalty <x>", "subtract x from the scores of tokens that were made", number)
    .option("--frequency-penalty <x>", "subtract x for each time they were made", number)
    .option("--logit-bias <id=x>", "add x to the score of a token id (repeatable)", addBias)
    .option("--no-repeat-ngram-size <n>", "make no n tokens in a row twice", number)
    .option("--min-tokens <n>", "do not end before n tokens", number)
    .option("--stop <text>", "end before this text (repeatable)", addText)
    .option("--stop-token-id <id>", "end with this token id (repeatable)", addNumber)
    .option("--seed <n>", "seed of the draws (default: another one each time)", number)
    .option("--ignore-eos", "go on behind the model's end-of-sequence token")
    .option(
      "--logprobs [n]",
      "print a line per token: id, log-probability, the n likeliest",
      number,
    )
    .option("--inline", "run the model in the main thread instead of a worker")
    .option("--no-stats", "leave out the lines of figures")
    .addHelpText(
      "after",
      `
The text goes to standard output, and the figures after it to standard error.
Ctrl-C stops after the token that is being made.

Examples:
  $ streamgauge generate "Call me Ishmael."
  $ streamgauge generate "And God said," --seed 7 --temperature 0.7 --top-p 0.9
  $ streamgauge generate "Once upon a time" --model ./models/smol --dtype q4`,
    )
    .action(async (prompt: string, options: GenerateOptions) => {
      await generate(prompt, options, process.stderr);
    });
}

/** The `demo` command: `generate` with all about sampling chosen, and its figures in the output. */
export function demoCommand(): Command {
  const command = new Command("demo")
    .description("Watch a model write, token by token.")
    .argument("[prompt]", "text to continue", "It is not down in any map;");
  return addEngineFlags(command)
    .option("--chat", "answer the prompt: it is a user's message in the model's chat template")
    .action(async (prompt: string, flags: EngineFlags & { readonly chat?: true }) => {
      const options = { ...flags, maxTokens: 200, seed: 26, stats: true };
      await generate(prompt, options, process.stdout);
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
    const engine = engineOptionsOf(options);
    const inline = options.inline === true;
    const { opened, cost } = await showLoading(
      process.stderr,
      inline ? undefined : 1,
      (onProgress) =>
        inline ? createInlineGenerator(engine) : createRuntime({ ...engine, onProgress }),
    );
    await using generator = opened;
    const about = generator.describe();
    const calledAt = performance.now();
    let firstAt: number | undefined;
    const config = { ...toConfig(options, about.recommendedSampling), signal: interrupt.signal };
    const isChat = options.chat === true;
    const result = await generator.generateStream(
      isChat ? { messages: [{ role: "user", content: prompt }] } : prompt,
      (token) => {
        if (firstAt === undefined) {
          firstAt = performance.now();
          if (!config.logprobs) process.stdout.write(isChat ? `${prompt}\n\n` : prompt);
        }
        process.stdout.write(config.logprobs === true ? logprobLine(token) : shown(token.text));
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
        `finish: ${result.finishReason})\n${cost}\n`,
    );
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** A model's text may hold what a terminal obeys. Elsewhere, as in a file, it stays as it is. */
function shown(text: string): string {
  return process.stdout.isTTY ? printable(text) : text;
}

/** Id, log-probability and text of a token; behind it the likeliest ids with theirs. */
function logprobLine({ id, text, logprob, topLogprobs = [] }: StreamToken): string {
  const top = topLogprobs.map((other) => `${other.id} ${other.logprob.toFixed(3)}`);
  const own = `${id}`.padStart(7) + (logprob ?? Number.NaN).toFixed(3).padStart(9);
  const behind = top.length === 0 ? "" : `   likeliest: ${top.join(", ")}`;
  return `${own}  ${printableJson(JSON.stringify(text))}${behind}\n`;
}

function toConfig(options: GenerateOptions, recommended: RecommendedSampling): GenerationConfig {
  const { temperature, topK, topP, minP, typicalP, greedy, logprobs, repeatNgramSize } = options;
  // The model's own advice is one set: whoever chooses how to draw chooses all of it.
  const drawing = given({ temperature, topK, topP, minP, typicalP });
  const sampling =
    greedy === true
      ? { temperature: 0, ...drawing }
      : Object.keys(drawing).length > 0
        ? { temperature: 1, ...drawing }
        : recommended;
  return {
    ...sampling,
    ...given({
      maxTokens: options.maxTokens,
      repetitionPenalty: options.repetitionPenalty,
      presencePenalty: options.presencePenalty,
      frequencyPenalty: options.frequencyPenalty,
      logitBias: options.logitBias,
      noRepeatNgramSize: repeatNgramSize === true ? undefined : repeatNgramSize,
      minTokens: options.minTokens,
      stop: options.stop,
      stopTokenIds: options.stopTokenId,
      seed: options.seed,
      ignoreEos: options.ignoreEos,
      logprobs: logprobs === undefined ? undefined : true,
      topLogprobs: typeof logprobs === "number" ? logprobs : undefined,
    }),
  };
}

/** Without what was not given, for types that tell absent from undefined. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as never;
}

function addBias(text: string, before: Readonly<Record<string, number>> = {}) {
  const [, id, bias] = /^(.+?)=(.+)$/.exec(text) ?? [];
  if (id === undefined || bias === undefined) {
    throw new InvalidArgumentError(`"${text}" is not a token id, "=" and a number.`);
  }
  return { ...before, [id]: number(bias) };
}

function addText(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function addNumber(text: string, before: readonly number[] = []): readonly number[] {
  return [...before, number(text)];
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`"${text}" is not a number.`);
}
