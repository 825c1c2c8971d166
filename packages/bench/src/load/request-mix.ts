import { createHash } from "node:crypto";
import { invalidOption, type GenerationConfig, type Prompt } from "@streamgauge/core";
import type { RecordedRequests } from "../record/index.js";
import { createDraw } from "../statistics/draw.js";
import { derivedSeed, largestSeed } from "./derived-seed.js";
import { blockText, fillerText } from "./filler-text.js";
import { drawLength, showLength, type Length } from "./length.js";

/** An entry of a list of requests. What it lacks is drawn. */
export interface ListedRequest {
  readonly prompt?: Prompt;
  /** Words of a prompt that is drawn. */
  readonly inputTokens?: number;
  /** Blocks that a drawn prompt begins with; see `blockText`. */
  readonly blocks?: readonly number[];
  /** Most tokens of the answer. */
  readonly outputTokens?: number;
}

/** What the requests of a load consist of. Plain data: with a seed it says every request. */
export interface RequestMix {
  /**
   * `filler`: prompts are drawn words. `list`: each request takes an entry by chance. `trace`: the
   * entries in their order, one for each arrival.
   */
  readonly source: RecordedRequests["source"];
  /** Empty for filler. */
  readonly list: readonly ListedRequest[];
  /** Words of a drawn prompt. */
  readonly inputTokens: Length;
  /** Most tokens of an answer, where the entry does not say it. */
  readonly outputTokens: Length;
  /** Asks servers that know `ignore_eos` to fill the answer up. */
  readonly ignoreEos: boolean;
}

/** One request. */
export interface LoadRequest {
  readonly prompt: Prompt;
  readonly config: Pick<GenerationConfig, "maxTokens" | "temperature" | "seed" | "ignoreEos">;
}

/** @throws StreamgaugeError `INVALID_OPTION` for a mix that has no requests */
export function checkMix({ source, list }: RequestMix): void {
  if ((source === "filler") === (list.length === 0)) return;
  throw invalidOption(
    source === "filler"
      ? "Filler needs no list of requests: leave the list out, or make it the source."
      : "The list of requests is empty: give at least one, or leave it out.",
  );
}

/** The request of an arrival: the same for the same mix, seed and index, whoever makes it. */
export function requestOf(mix: RequestMix, seed: number, index: number): LoadRequest {
  const draw = createDraw(derivedSeed(seed, "requests", index));
  const requestSeed = draw.integer(0, largestSeed);
  const entry = entryOf(mix, index, () => draw.integer(0, mix.list.length - 1));
  const maxTokens = entry.outputTokens ?? drawLength(mix.outputTokens, draw);
  return {
    prompt: entry.prompt ?? drawnPrompt(entry, mix, draw),
    config: {
      maxTokens,
      temperature: 0,
      seed: requestSeed,
      ...(mix.ignoreEos && { ignoreEos: true }),
    },
  };
}

/** What a record keeps of a mix. */
export function recordMix({
  source,
  list,
  inputTokens,
  outputTokens,
}: RequestMix): RecordedRequests {
  const isWhole = (has: (entry: ListedRequest) => boolean): boolean =>
    list.length > 0 && list.every(has);
  return {
    source,
    count: list.length,
    sha256:
      list.length === 0 ? null : createHash("sha256").update(JSON.stringify(list)).digest("hex"),
    inputTokens: isWhole((entry) => entry.prompt !== undefined || entry.inputTokens !== undefined)
      ? null
      : showLength(inputTokens),
    outputTokens: isWhole((entry) => entry.outputTokens !== undefined)
      ? null
      : showLength(outputTokens),
  };
}

function entryOf({ source, list }: RequestMix, index: number, drawn: () => number): ListedRequest {
  if (source === "filler") return {};
  return list[source === "trace" ? index % list.length : drawn()] ?? {};
}

function drawnPrompt(
  { inputTokens, blocks = [] }: ListedRequest,
  mix: RequestMix,
  draw: ReturnType<typeof createDraw>,
): string {
  const count = inputTokens ?? drawLength(mix.inputTokens, draw);
  return blocks.length === 0 ? fillerText(count, draw) : blockText(count, blocks, draw);
}
