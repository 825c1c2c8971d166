import { StreamgaugeError, type FinishReason, type ResolvedConfig } from "@streamgauge/core";
import type { Answer } from "./openai-answer.js";
import { quote } from "./openai-failure.js";

/** How an answer ended: with `[DONE]`, at the end of its body, or as one whole JSON text. */
export type AnswerEnd = "done" | "body" | "json";

/** What the answers of one request say beside their text, put together. */
export class Completion {
  readonly #url: string;
  readonly #config: ResolvedConfig;
  #promptTokens: number | undefined;
  #completionTokens: number | undefined;
  #chunks = 0;
  #choiceIndex: number | undefined;
  #finishReason: "eos" | "length" | undefined;
  #isRenamed = false;
  #hasZero = false;
  #hasUsage = false;
  #endsWithUsage = false;
  readonly #terms: string[] = [];

  /** @param url for messages */
  constructor(url: string, config: ResolvedConfig) {
    this.#url = url;
    this.#config = config;
  }

  /** Undefined where the server did not count; a prompt has at least one token. */
  get promptTokens(): number | undefined {
    return this.#promptTokens;
  }

  /** Undefined where the server did not count; it did not if it says 0 beside text. */
  get completionTokens(): number | undefined {
    return this.#completionTokens ?? (this.#hasZero && this.#chunks === 0 ? 0 : undefined);
  }

  /** What `OpenAIResult` says under that name, once {@link finish} has returned. */
  get terms(): readonly string[] {
    return this.#terms;
  }

  /**
   * Takes in what the next answer has of text and counts.
   *
   * @throws StreamgaugeError `ENGINE_FAILED` for text of a second choice, and for a
   *   count that no completion can have
   */
  count({ text, hasChoice, choiceIndex, counts }: Answer): void {
    if (text !== "") {
      this.#chunks += 1;
      this.#endsWithUsage = false;
      this.#requireOneChoice(choiceIndex);
    }
    const { promptTokens, completionTokens, renamed = false } = counts ?? {};
    if (completionTokens !== undefined && completionTokens > mostTokens) {
      throw this.#notCount(completionTokens);
    }
    this.#hasZero ||= completionTokens === 0;
    this.#isRenamed ||= renamed;
    // A zero beside text does not take back what was counted.
    this.#promptTokens = promptTokens || this.#promptTokens;
    if (!completionTokens) return;
    this.#completionTokens = completionTokens;
    // Usage that is repeated beside choices, as vLLM's continuous_usage_stats, marks no end.
    this.#endsWithUsage = text === "" && !(hasChoice && this.#hasUsage);
    this.#hasUsage = true;
  }

  /**
   * Takes in whether the next answer ends the completion.
   *
   * @throws StreamgaugeError `ENGINE_FAILED` for an end that is not one of text
   */
  end({ finishReason }: Answer): void {
    if (finishReason !== undefined) this.#finishReason = this.#translate(finishReason);
  }

  /**
   * The reason for the end. Where the server gives none, it is inferred if the end
   * is certain, and `terms` say so.
   *
   * @param foreign what else the server said, for the message
   * @throws StreamgaugeError `ENGINE_FAILED` where the completion may not be whole
   */
  finish(end: AnswerEnd, foreign: string = ""): FinishReason {
    const isCertain = this.#chunks > 0 && (end !== "body" || this.#endsWithUsage);
    if (this.#finishReason === undefined && !isCertain) throw this.#notWhole(foreign);
    const finishReason = this.#finishReason ?? this.#infer(end);
    if (this.#isRenamed) {
      this.#terms.push("The server's counts of tokens are its input_tokens and output_tokens.");
    }
    if (this.completionTokens === undefined) {
      this.#terms.push(
        `completionTokens counts chunks with text, because the server ` +
          `${this.#hasZero ? "says 0 tokens beside text" : "sent no count"}.`,
      );
    }
    return finishReason;
  }

  #infer(end: AnswerEnd): "eos" | "length" {
    const { maxTokens, ignoreEos } = this.#config;
    const { completionTokens } = this;
    if (ignoreEos && completionTokens !== undefined && completionTokens < maxTokens) {
      throw this.#endedThough(`after ${completionTokens} of ${maxTokens} tokens`);
    }
    const isFull = ignoreEos || (completionTokens ?? this.#chunks) >= maxTokens;
    const count =
      completionTokens === undefined
        ? `${this.#chunks} ${this.#chunks === 1 ? "chunk" : "chunks"} with text`
        : `${completionTokens} tokens`;
    const finishReason = isFull ? "length" : "eos";
    this.#terms.push(
      `finishReason "${finishReason}" is inferred from ${count}, maxTokens ${maxTokens}` +
        `${ignoreEos ? " and ignoreEos" : ""}: the server sent no finish_reason, but ${ends[end]}.`,
    );
    return finishReason;
  }

  #translate(finishReason: string): "eos" | "length" {
    if (finishReason === "length") return "length";
    // "eos_token" is TGI's word for it (its FinishReason in router/src/lib.rs).
    if (finishReason === "stop" || finishReason === "eos_token") {
      if (this.#config.ignoreEos) throw this.#endedThough(`with finish_reason "${finishReason}"`);
      return "eos";
    }
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `${this.#url} ended with finish_reason "${quote(finishReason)}", which is not the end of ` +
        `a completion of text: only "stop" and "length" are. Change the prompt, or the ` +
        `server's tools and filters.`,
    );
  }

  #requireOneChoice(index: number | undefined): void {
    this.#choiceIndex ??= index;
    if (index === undefined || index === this.#choiceIndex) return;
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `${this.#url} sent text of the choices ${this.#choiceIndex} and ${index}, but one was asked ` +
        `for: have the server make one completion of each prompt.`,
    );
  }

  #notCount(tokens: number): StreamgaugeError {
    return new StreamgaugeError(
      "ENGINE_FAILED",
      `${this.#url} says that its completion has ${tokens} tokens, which is not possible: see ` +
        `what the server counts in its usage.`,
    );
  }

  #endedThough(how: string): StreamgaugeError {
    return new StreamgaugeError(
      "ENGINE_FAILED",
      `${this.#url} ended ${how} although ignore_eos was sent: the server does not honour it, so ` +
        `leave "ignore_eos" out of the extensions.`,
    );
  }

  #notWhole(foreign: string): StreamgaugeError {
    return new StreamgaugeError(
      "ENGINE_FAILED",
      `${this.#url} ended its response without a finish_reason, so the completion may not ` +
        `be whole: see the server's log, and any proxy before it, for why it broke off.` +
        (foreign === "" ? "" : ` Between its events it sent "${foreign}".`),
    );
  }
}

/** In one completion; no model's context is as long. `generate()` makes a token for each. */
const mostTokens = 2 ** 24;

const ends: Readonly<Record<AnswerEnd, string>> = {
  done: "it ended with [DONE]",
  body: "its response ended after its count of tokens",
  json: "its answer is whole",
};
