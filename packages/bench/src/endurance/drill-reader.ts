import { setTimeout as delay } from "node:timers/promises";
import {
  isStreamgaugeError,
  teeTokens,
  toByteStream,
  toNodeReadable,
  toReadableStream,
  toTextStream,
  type GenerationConfig,
  type GenerationResult,
  type Generator,
  type StreamToken,
  type TokenStream,
} from "@streamgauge/core";
import type { ErrorCode, FinishReason } from "@streamgauge/core";
import type { PlannedStream } from "./drill-plan.js";

/** What the consumer of a stream saw. */
export interface Observation {
  /** Ids in the order in which they came; those of the result where only that was asked for. */
  readonly seen: readonly number[];
  readonly end: ObservedEnd;
}

export type ObservedEnd =
  | {
      readonly kind: "finished";
      readonly finishReason: FinishReason;
      readonly ids: readonly number[];
    }
  | {
      readonly kind: "failed";
      readonly errorCode: ErrorCode;
      readonly partial: readonly number[] | undefined;
    }
  /** The consumer threw, and got its own error back. */
  | { readonly kind: "threw" }
  /** The consumer let go of it. */
  | { readonly kind: "dropped" };

const tokensBetweenRests = 8;
const restMilliseconds = 1;

/** What a consumer of a drill can have done for its fault. */
export interface DrillHelp {
  /** Ends the thread of the stream's worker, which waits for room. */
  readonly kill: () => Promise<void>;
  /** Resolves when the engine has made all tokens of the stream. */
  readonly untilMade: () => Promise<void>;
}

/**
 * Consumes a stream as planned, and commits the faults that are the consumer's.
 *
 * @throws what should not happen: an error that is no streamgauge error
 */
export async function readStream(
  generator: Generator,
  plan: PlannedStream,
  help: DrillHelp,
): Promise<Observation> {
  return await new DrillConsumer(generator, plan, help).run();
}

class ConsumerError extends Error {}

class DrillConsumer {
  readonly #generator: Generator;
  readonly #plan: PlannedStream;
  readonly #help: DrillHelp;
  readonly #seen: number[] = [];
  readonly #controller = new AbortController();

  constructor(generator: Generator, plan: PlannedStream, help: DrillHelp) {
    this.#generator = generator;
    this.#plan = plan;
    this.#help = help;
  }

  async run(): Promise<Observation> {
    const { kind, at } = this.#plan.fault ?? {};
    const timer =
      kind === "aborted at a time" ? setTimeout(() => this.#controller.abort(), at) : undefined;
    try {
      if (kind === "dropped unread" || kind === "dropped half read") {
        await this.#readAndDrop(kind === "dropped unread" ? 0 : (at ?? 0));
        return { seen: this.#seen, end: { kind: "dropped" } };
      }
      const { finishReason, ids } = await this.#read();
      const seen = this.#isResultOnly ? ids : this.#seen;
      return { seen, end: { kind: "finished", finishReason, ids } };
    } catch (error) {
      return this.#failed(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #failed(error: unknown): Observation {
    if (error instanceof ConsumerError) return { seen: this.#seen, end: { kind: "threw" } };
    if (!isStreamgaugeError(error)) throw error;
    const partial = error.partial?.ids;
    const seen = this.#isResultOnly ? (partial ?? []) : this.#seen;
    return { seen, end: { kind: "failed", errorCode: error.code, partial } };
  }

  /** Whether the consumer sees the tokens in the result only. */
  get #isResultOnly(): boolean {
    return this.#plan.reader === "generate" || this.#plan.reader === "result first";
  }

  get #config(): GenerationConfig {
    const { name, maxTokens, fault } = this.#plan;
    return {
      maxTokens,
      clientId: name,
      ignoreEos: true,
      signal: this.#controller.signal,
      ...(fault?.kind === "deadline" ? { deadlineMilliseconds: fault.at } : {}),
    };
  }

  async #read(): Promise<GenerationResult> {
    const { reader, prompt } = this.#plan;
    const generator = this.#generator;
    switch (reader) {
      case "generate":
        return await generator.generate(prompt, this.#config);
      case "callback":
        return await generator.generateStream(prompt, ({ id }) => this.#take(id), this.#config);
      case "result first":
        return await generator.generateStreamAsync(prompt, this.#config).result;
      case "loop":
        return await this.#loop(generator.generateStreamAsync(prompt, this.#config));
      case "web stream":
        return await this.#readWeb(generator.generateStreamAsync(prompt, this.#config));
      case "Node stream":
        return await this.#readNode(generator.generateStreamAsync(prompt, this.#config));
      case "tee":
        return await this.#readTee(generator.generateStreamAsync(prompt, this.#config));
      case "text stream":
        return await this.#readText(generator.generateStreamAsync(prompt, this.#config));
      case "byte stream":
        return await this.#readBytes(generator.generateStreamAsync(prompt, this.#config));
      default:
        return reader satisfies never;
    }
  }

  async #loop(stream: TokenStream): Promise<GenerationResult> {
    for await (const { id } of stream) if (!(await this.#take(id))) break;
    return await stream.result;
  }

  async #readWeb(stream: TokenStream): Promise<GenerationResult> {
    await this.#readChunks(toReadableStream(stream), ({ id }) => id);
    return await stream.result;
  }

  async #readText(stream: TokenStream): Promise<GenerationResult> {
    await this.#readChunks(toTextStream(stream), Number);
    return await stream.result;
  }

  async #readBytes(stream: TokenStream): Promise<GenerationResult> {
    // Node's Buffer would leave a pool behind, which looks like a ring that is left.
    const decoder = new TextDecoder();
    await this.#readChunks(toByteStream(stream), (bytes) => Number(decoder.decode(bytes)));
    return await stream.result;
  }

  /** @param idOf the token of a chunk; a paced token's text is its id */
  async #readChunks<T>(stream: ReadableStream<T>, idOf: (chunk: T) => number): Promise<void> {
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!(await this.#take(idOf(value)))) await reader.cancel();
    }
  }

  async #readTee(stream: TokenStream): Promise<GenerationResult> {
    const [read, alongside] = teeTokens(stream);
    const one = read[Symbol.asyncIterator]();
    const other = alongside[Symbol.asyncIterator]();
    for (;;) {
      const [step, same] = await Promise.all([one.next(), other.next()]);
      if (step.done === true) break;
      // One that is stopped can be stopped a token earlier.
      if (same.done !== true && same.value.id !== step.value.id) {
        throw new Error("The branches of a tee differ.");
      }
      if (!(await this.#take(step.value.id))) await Promise.all([one.return(), other.return()]);
    }
    return await read.result;
  }

  async #readNode(stream: TokenStream): Promise<GenerationResult> {
    // Leaving the loop destroys the stream.
    for await (const token of toNodeReadable(stream)) {
      if (!(await this.#take((token as StreamToken).id))) break;
    }
    return await stream.result;
  }

  /** When this returns, nothing leads to the stream any more. */
  async #readAndDrop(tokens: number): Promise<void> {
    const { reader, prompt } = this.#plan;
    const stream = this.#generator.generateStreamAsync(prompt, this.#config);
    if (tokens === 0) return;
    if (reader === "web stream") {
      const web = toReadableStream(stream).getReader();
      while (this.#seen.length < tokens) this.#see((await web.read()).value);
    } else {
      const iterator = stream[Symbol.asyncIterator]();
      while (this.#seen.length < tokens) this.#see((await iterator.next()).value);
    }
  }

  #see(token: StreamToken | undefined): void {
    if (token === undefined) throw new Error(`${this.#plan.name} ended before it was dropped.`);
    this.#seen.push(token.id);
  }

  /** Takes one token. A promise only where the consumer waits; false to leave. */
  #take(id: number): boolean | Promise<boolean> {
    this.#seen.push(id);
    const { fault, slow } = this.#plan;
    if (fault?.at === this.#seen.length) {
      if (fault.kind === "aborted at a token") this.#controller.abort();
      if (fault.kind === "left") return false;
      if (fault.kind === "throwing consumer") throw new ConsumerError();
      if (fault.kind === "killed") return this.#help.kill().then(() => true);
      if (fault.kind === "left late") return this.#help.untilMade().then(() => false);
      if (fault.kind === "aborted late") {
        return this.#help.untilMade().then(() => {
          this.#controller.abort();
          return true;
        });
      }
    }
    if (!slow || this.#seen.length % tokensBetweenRests > 0) return true;
    return delay(restMilliseconds).then(() => true);
  }
}
