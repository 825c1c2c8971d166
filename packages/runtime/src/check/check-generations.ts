import {
  isStreamgaugeError,
  resolveConfig,
  type GenerationSummary,
  type StreamToken,
  type TokenSink,
} from "@streamgauge/core";
import { decode } from "../engine/decode.js";
import type { OpenOnnxModel } from "../engine/onnx-model.js";
import type { CheckProgress } from "./check-progress.js";
import { createReference, type Reference } from "./reference.js";

/** One way of running the model, held against runs without a cache. */
export interface CheckedPart {
  readonly name: string;
  /** Tokens that were compared; fewer where one differed. */
  readonly tokens: number;
  /** Largest difference of a log-probability, in nats. */
  readonly largestLogprobDifference: number;
  /** The first token that is not as it should be; undefined: all are. */
  readonly difference: TokenDifference | undefined;
  /** What onnxruntime said of a run that failed. */
  readonly failure: string | undefined;
}

/** A token that the engine chose otherwise than a run of all ids without a cache. */
export interface TokenDifference {
  /** Which of the completion's tokens, from 0. */
  readonly index: number;
  /** Ids of the prompt that it belongs to. */
  readonly promptTokens: number;
  readonly id: number;
  /** Natural logarithm of its probability, as the engine says. */
  readonly logprob: number;
  /** What a run without a cache chooses. */
  readonly expectedId: number;
  /** What a run without a cache says of the engine's id. */
  readonly expectedLogprob: number;
}

/** A completion to be made and compared. */
interface Trial {
  readonly prompt: readonly number[];
  readonly tokens: number;
}

const manyTokens = 24;
const fewTokens = 8;
/** Longer than a piece of a prompt. */
const longPrompt = 300;
/** A border further away takes too long to reach. */
const farBorder = 2048;

export function isRight({ difference, failure }: CheckedPart): boolean {
  return difference === undefined && failure === undefined;
}

/**
 * Runs the model in every way that it can be run, and compares.
 *
 * @throws what onnxruntime throws in a run without a cache; the signal's reason
 */
export async function checkGenerations(
  opened: OpenOnnxModel,
  onProgress: (progress: CheckProgress) => void,
  signal: AbortSignal | undefined,
): Promise<readonly CheckedPart[]> {
  const { model, plan, settings } = opened;
  const reference = createReference(opened);
  const room = settings.contextLength - manyTokens - 1;
  const ids = (seed: number, length: number): number[] =>
    promptIds(seed, Math.max(1, Math.min(length, room)), model.vocabularySize);
  const parts: CheckedPart[] = [];
  const made: number[][] = [];

  const take = async (name: string, trials: readonly Trial[]): Promise<void> => {
    signal?.throwIfAborted();
    const fitting = trials.filter(
      ({ prompt, tokens }) => prompt.length + tokens < settings.contextLength,
    );
    if (fitting.length === 0) return;
    const totalTokens = fitting.reduce((sum, { tokens }) => sum + tokens, 0);
    let doneTokens = 0;
    const report = (): void => onProgress({ part: name, doneTokens, totalTokens });
    report();
    let completions: readonly (readonly StreamToken[])[];
    try {
      completions = await generateAll(opened, fitting, signal);
    } catch (error) {
      if (!isStreamgaugeError(error) || error.code !== "ENGINE_FAILED") throw error;
      const failure = error.message;
      parts.push({ name, tokens: 0, largestLogprobDifference: 0, difference: undefined, failure });
      made.push([]);
      return;
    }
    let difference: TokenDifference | undefined;
    let [tokens, largest] = [0, 0];
    for (const [index, { prompt }] of fitting.entries()) {
      const completion = completions[index] ?? [];
      made.push(completion.map(({ id }) => id));
      for (const [at, token] of completion.entries()) {
        if (difference !== undefined) break;
        signal?.throwIfAborted();
        const before = [...prompt, ...completion.slice(0, at).map(({ id }) => id)];
        const compared = await compare(reference, before, token);
        largest = Math.max(largest, compared.logprobDifference);
        difference = compared.difference && {
          ...compared.difference,
          index: at,
          promptTokens: prompt.length,
        };
        tokens += 1;
        doneTokens += 1;
        report();
      }
    }
    const largestLogprobDifference = largest;
    parts.push({ name, tokens, largestLogprobDifference, difference, failure: undefined });
  };

  const first = ids(1, 7);
  await take("alone", [{ prompt: first, tokens: manyTokens }]);
  const second = [...first, ...(made[0] ?? []), ...ids(4, 5)];
  await take("second turn", [{ prompt: second, tokens: fewTokens }]);
  const third = [...second, ...(made[1] ?? []), ...ids(5, 6)];
  await take("third turn", [{ prompt: third, tokens: fewTokens }]);
  await take("cut back", [{ prompt: [...second.slice(0, -3), ...ids(6, 4)], tokens: fewTokens }]);
  await take("in pieces", [{ prompt: ids(2, longPrompt), tokens: fewTokens }]);
  await take("together", [
    { prompt: first, tokens: manyTokens },
    { prompt: ids(7, 3), tokens: manyTokens },
    { prompt: ids(8, 19), tokens: fewTokens },
  ]);
  const { border } = plan;
  if (border !== undefined && border.ids <= farBorder) {
    await take("across the border", [
      { prompt: ids(9, Math.max(1, border.ids - fewTokens)), tokens: 2 * fewTokens },
    ]);
  }
  return parts;
}

/** Ids that look random, the same for each seed, length and vocabulary. */
function promptIds(seed: number, length: number, vocabularySize: number): number[] {
  return Array.from(
    { length },
    (_, at) => (seed * 7919 + at * (2 * seed + 101) + at * at * 13) % vocabularySize,
  );
}

async function compare(
  reference: Reference,
  before: readonly number[],
  { id, logprob = Number.NaN }: StreamToken,
): Promise<{
  readonly logprobDifference: number;
  readonly difference:
    | Pick<TokenDifference, "id" | "logprob" | "expectedId" | "expectedLogprob">
    | undefined;
}> {
  const { expectedId, largest, logprobOf, tolerance } = await reference.behind(before);
  const expectedLogprob = logprobOf(id);
  const logprobDifference = Math.abs(logprob - expectedLogprob);
  // Where two ids are about as likely, the order in which sums are taken decides.
  const isTie = largest - expectedLogprob <= tolerance;
  if (isTie && logprobDifference <= tolerance) {
    return { logprobDifference, difference: undefined };
  }
  return { logprobDifference, difference: { id, logprob, expectedId, expectedLogprob } };
}

/** All at once where the model runs several; the first reader then stands still until the others have ended. */
async function generateAll(
  { model }: OpenOnnxModel,
  trials: readonly Trial[],
  signal: AbortSignal | undefined,
): Promise<readonly (readonly StreamToken[])[]> {
  const generate = async (
    { prompt, tokens }: Trial,
    standsStill: Promise<unknown> | undefined,
  ): Promise<readonly StreamToken[]> => {
    const sink = new WaitingSink(standsStill, signal);
    const config = resolveConfig({ maxTokens: tokens, ignoreEos: true, logprobs: true });
    const summary: GenerationSummary = await decode(
      model,
      { prompt, config },
      sink,
      performance.now(),
    );
    if (summary.finishReason === "aborted") signal?.throwIfAborted();
    return sink.tokens;
  };
  const [first, ...others] = trials;
  if (first === undefined) return [];
  if (model.maxBatch < trials.length) {
    const completions = [];
    for (const trial of trials) completions.push(await generate(trial, undefined));
    return completions;
  }
  const beside = Promise.all(others.map((trial) => generate(trial, undefined)));
  const standsStill = trials.length > 1 ? beside : undefined;
  const completion = await generate(first, standsStill);
  return [completion, ...(await beside)];
}

/** Keeps tokens; has no room for the second until a promise has settled. */
class WaitingSink implements TokenSink {
  readonly tokens: StreamToken[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #standsStill: Promise<unknown> | undefined;
  #isStill: boolean;

  constructor(standsStill: Promise<unknown> | undefined, signal: AbortSignal | undefined) {
    this.#standsStill = standsStill;
    this.#isStill = standsStill !== undefined;
    this.#signal = signal;
  }

  get stopReason(): "aborted" | undefined {
    return this.#signal?.aborted === true ? "aborted" : undefined;
  }

  push(token: StreamToken): boolean {
    if (this.#isStill && token.index === 1) return false;
    this.tokens.push(token);
    return true;
  }

  async writable(): Promise<void> {
    await this.#standsStill?.catch(() => undefined);
    this.#isStill = false;
  }
}
