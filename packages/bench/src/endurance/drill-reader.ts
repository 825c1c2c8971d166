import { setTimeout as delay } from "node:timers/promises";
import {
  isStreamgaugeError,
  toNodeReadable,
  toReadableStream,
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

/**
 * Consumes a stream as planned, and commits the faults that are the consumer's.
 *
 * @param kill ends the thread of the stream's worker, which waits for room
 * @throws what should not happen: an error that is no streamgauge error
 */
export async function readStream(
  generator: Generator,
  plan: PlannedStream,
  kill: () => Promise<void>,
): Promise<Observation> {
  return await new DrillConsumer(generator, plan, kill).run();
}

class ConsumerError extends Error {}

class DrillConsumer {
  readonly #generator: Generator;
  readonly #plan: PlannedStream;
  readonly #kill: () => Promise<void>;
  readonly #seen: number[] = [];
  readonly #controller = new AbortController();

  constructor(generator: Generator, plan: PlannedStream, kill: () => Promise<void>) {
    this.#generator = generator;
    this.#plan = plan;
    this.#kill = kill;
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
        return await generator.generateStream(prompt, (token) => this.#take(token), this.#config);
      case "result first":
        return await generator.generateStreamAsync(prompt, this.#config).result;
      case "loop":
        return await this.#loop(generator.generateStreamAsync(prompt, this.#config));
      case "web stream":
        return await this.#readWeb(generator.generateStreamAsync(prompt, this.#config));
      case "Node stream":
        return await this.#readNode(generator.generateStreamAsync(prompt, this.#config));
      default:
        return reader satisfies never;
    }
  }

  async #loop(stream: TokenStream): Promise<GenerationResult> {
    for await (const token of stream) if (!(await this.#take(token))) break;
    return await stream.result;
  }

  async #readWeb(stream: TokenStream): Promise<GenerationResult> {
    const reader = toReadableStream(stream).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      if (!(await this.#take(value))) await reader.cancel();
    }
    return await stream.result;
  }

  async #readNode(stream: TokenStream): Promise<GenerationResult> {
    // Leaving the loop destroys the stream.
    for await (const token of toNodeReadable(stream)) {
      if (!(await this.#take(token as StreamToken))) break;
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

  /** Takes one token. A promise only where the consumer rests or kills; false to leave. */
  #take(token: StreamToken): boolean | Promise<boolean> {
    this.#see(token);
    const { fault, slow } = this.#plan;
    if (fault?.at === this.#seen.length) {
      if (fault.kind === "aborted at a token") this.#controller.abort();
      if (fault.kind === "left") return false;
      if (fault.kind === "throwing consumer") throw new ConsumerError();
      if (fault.kind === "killed") return this.#kill().then(() => true);
    }
    if (!slow || this.#seen.length % tokensBetweenRests > 0) return true;
    return delay(restMilliseconds).then(() => true);
  }
}
