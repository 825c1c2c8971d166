import { StreamgaugeError } from "@streamgauge/core";
import { asObject, parseJson } from "./json-values.js";
import { parseAnswer, type Answer } from "./openai-answer.js";
import { failureInBody, isFailure, quote, reportedError } from "./openai-failure.js";
import type { ForeignLine, ServerSentEvent } from "./server-sent-events.js";

/**
 * Reads the items of one event stream as chunks of a completion, and looks for
 * what a server says in other places than it should.
 */
export class ChunkReader {
  readonly #url: string;
  /** JSON that stands between the events, as far as it has come. */
  #bareJson = "";
  #foreign = "";
  #isDone = false;

  /** @param url for messages */
  constructor(url: string) {
    this.#url = url;
  }

  /** Whether `[DONE]` has come; nothing is read after it. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** What stands between the events and is not known to be an error; quoted, often empty. */
  get foreign(): string {
    // Text that is no JSON is dear to parse, and of most streams there is none.
    return this.#foreign === "" ? "" : failureInBody(this.#foreign);
  }

  /**
   * The chunks in the items; lazily, so that text before an error is delivered.
   *
   * @throws StreamgaugeError `ENGINE_FAILED` as `parseAnswer` does, and for errors and
   *   other JSON between the events
   */
  *read(items: readonly (ServerSentEvent | ForeignLine)[]): Generator<Answer, void, undefined> {
    for (const item of items) {
      if (this.#isDone) return;
      if ("foreign" in item) {
        this.#readForeign(item.foreign);
        continue;
      }
      const data = item.data.trim();
      this.#bareJson = "";
      if (item.event === "error") throw reportedError(data, this.#url);
      // Without its data an event only keeps the connection alive. And what the end of
      // the stream cuts off is not an event, unless just the blank line is missing.
      if (data === "" || !(item.whole || isComplete(data))) continue;
      for (const payload of payloadsOf(data)) {
        if (payload === doneMark) {
          this.#isDone = true;
          return;
        }
        yield parseAnswer(payload, this.#url);
      }
    }
  }

  /**
   * llama.cpp wrote its errors as a field `error` (github.com/ggml-org/llama.cpp/pull/16109);
   * servers whose handler fails within a stream write JSON without any field.
   */
  #readForeign(line: string): void {
    const error = /^\s*error\s*:(.*)$/is.exec(line)?.[1];
    if (error !== undefined) throw reportedError(error.trim(), this.#url);
    if (this.#foreign.length < maxForeignCharacters) this.#foreign += `${line}\n`;
    if (this.#bareJson === "" && !line.trimStart().startsWith("{")) return;
    this.#bareJson += `${line}\n`;
    if (!line.trimEnd().endsWith("}")) return;
    const object = asObject(parseJson(this.#bareJson));
    if (object === undefined) {
      if (this.#bareJson.length > maxForeignCharacters) this.#bareJson = "";
      return;
    }
    if (isFailure(object)) throw reportedError(this.#bareJson, this.#url);
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `${this.#url} sent JSON that is not in an event: "${quote(this.#bareJson)}". See whether ` +
        `this is an OpenAI-compatible endpoint, and what proxies do to its answers.`,
    );
  }
}

/**
 * The JSON texts in the data of an event. More than one where a server forgets the
 * blank line between two events: github.com/BerriAI/litellm/issues/25492 has an error
 * of SGLang with `[DONE]` on the next line.
 */
function payloadsOf(data: string): readonly string[] {
  if (!data.includes("\n") || parseJson(data) !== undefined) return [data];
  const lines = data.split("\n").filter((line) => line.trim() !== "");
  return lines.every(isComplete) ? lines.map((line) => line.trim()) : [data];
}

function isComplete(payload: string): boolean {
  return payload.trim() === doneMark || parseJson(payload) !== undefined;
}

const doneMark = "[DONE]";

/** Enough for any error; more is not kept. */
const maxForeignCharacters = 64 * 1024;
