import { Readable } from "node:stream";
import { choiceCheck } from "../option-checks.js";
import { readOptions, type OptionTable } from "../option-table.js";
import type { StreamToken, TokenStream } from "../generator.js";
import { WholeCharacters } from "./whole-characters.js";

export interface NodeReadableOptions {
  /**
   * What is read: "tokens" (the default) as objects, "text" as strings, or
   * "bytes" as buffers of UTF-8. Chunks of text and bytes are not empty, and end
   * with whole characters, as those of `toTextStream` do.
   */
  readonly as?: "tokens" | "text" | "bytes";
}

/**
 * Tokens as a Node stream, for `pipeline()` and for `for await`. Stops and ends
 * as `TokenStream` says: `destroy()` cancels, and "close" comes when the
 * producer has stopped; a failure destroys the stream with its error. A token is
 * taken from the generation only when the stream is read.
 *
 * @throws StreamgaugeError `STREAM_CONSUMED` when the stream is read already,
 *   `INVALID_OPTION`
 */
export function toNodeReadable(stream: TokenStream, options: NodeReadableOptions = {}): Readable {
  const { as } = readOptions(options, table, { one: (name) => `Option "${name}"` });
  const chunkOf = chunksOf[as]();
  const iterator = stream[Symbol.asyncIterator]();

  async function pushNext(readable: Readable): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await iterator.next();
        if (readable.destroyed) return;
        const chunk = chunkOf(value);
        if (chunk === "" && done !== true) continue;
        readable.push(chunk === "" || chunk === undefined ? null : chunk, "utf8");
        return;
      }
    } catch (error) {
      readable.destroy(error as Error);
    }
  }

  return new Readable({
    objectMode: as === "tokens",
    highWaterMark: 0,
    ...(as === "text" ? { encoding: "utf8" as const } : {}),
    read() {
      void pushNext(this);
    },
    destroy(error, callback) {
      void iterator.return().then(() => callback(error));
    },
  });
}

/** What a token is worth, and at the end what is left. */
type ChunkOf = (token: StreamToken | undefined) => StreamToken | string | undefined;

function textOf(): ChunkOf {
  const characters = new WholeCharacters();
  return (token) => (token === undefined ? characters.end() : characters.take(token.text));
}

const chunksOf = {
  tokens: () => (token) => token,
  text: textOf,
  // Node encodes a string that is pushed to a stream of bytes.
  bytes: textOf,
} satisfies Record<NonNullable<NodeReadableOptions["as"]>, () => ChunkOf>;

const table: OptionTable<NodeReadableOptions, Required<NodeReadableOptions>> = {
  as: { check: choiceCheck(["tokens", "text", "bytes"]), default: "tokens" },
};
