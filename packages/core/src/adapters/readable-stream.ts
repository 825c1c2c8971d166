import type { StreamToken, TokenStream } from "../generator.js";
import { WholeCharacters } from "./whole-characters.js";

/**
 * Tokens as a web stream of objects. Stops and ends as {@link TokenStream} says;
 * a token is taken from the generation only for a read that waits.
 *
 * @throws StreamgaugeError `STREAM_CONSUMED` when the stream is read already
 */
export function toReadableStream(stream: TokenStream): ReadableStream<StreamToken> {
  return new ReadableStream(
    pullTokens(stream, (token: StreamToken | undefined, controller: Enqueuing<StreamToken>) => {
      if (token === undefined) return false;
      controller.enqueue(token);
      return true;
    }),
    { highWaterMark: 0 },
  );
}

/**
 * The text pieces as a web stream of strings, without the empty ones. Each ends
 * with a whole character: half a surrogate pair waits for the next piece, and
 * becomes U+FFFD where its other half does not come. Otherwise as
 * {@link toReadableStream}.
 *
 * @throws StreamgaugeError `STREAM_CONSUMED`
 */
export function toTextStream(stream: TokenStream): ReadableStream<string> {
  return new ReadableStream(
    pullText(stream, (text, controller: Enqueuing<string>) => {
      controller.enqueue(text);
    }),
    { highWaterMark: 0 },
  );
}

/**
 * The text as a web byte stream in UTF-8, for a `Response` or a BYOB reader. A
 * chunk is one piece of {@link toTextStream}; a BYOB reader gets it in portions of its buffer's
 * size. Otherwise as {@link toReadableStream}.
 *
 * @throws StreamgaugeError `STREAM_CONSUMED`
 */
export function toByteStream(stream: TokenStream): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      type: "bytes",
      ...pullText(stream, (text, controller: ReadableByteStreamController) => {
        // What a BYOB reader's buffer cannot hold stays queued for its next read.
        controller.enqueue(encoder.encode(text));
      }),
    },
    { highWaterMark: 0 },
  );
}

interface Closing {
  close(): void;
}

interface Enqueuing<T> extends Closing {
  enqueue(chunk: T): void;
}

interface PullingSource<C> {
  pull(controller: C): Promise<void>;
  cancel(): Promise<void>;
}

function pullText<C extends Closing>(
  stream: TokenStream,
  enqueue: (text: string, controller: C) => void,
): PullingSource<C> {
  const characters = new WholeCharacters();
  return pullTokens(stream, (token: StreamToken | undefined, controller: C) => {
    const text = token === undefined ? characters.end() : characters.take(token.text);
    if (text === "") return false;
    enqueue(text, controller);
    return true;
  });
}

/**
 * An underlying source that answers each pull with tokens until one gave a chunk.
 *
 * @param give enqueues what a token is worth, or at the end what is left; false
 *   when that is nothing
 */
function pullTokens<C extends Closing>(
  stream: TokenStream,
  give: (token: StreamToken | undefined, controller: C) => boolean,
): PullingSource<C> {
  const iterator = stream[Symbol.asyncIterator]();
  let cancelled = false;
  return {
    async pull(controller) {
      for (;;) {
        const { done, value } = await iterator.next();
        if (cancelled) return;
        if (give(value, controller)) return;
        if (done === true) return closeStream(controller);
      }
    },
    async cancel() {
      cancelled = true;
      await iterator.return();
    },
  };
}

function closeStream(controller: Closing): void {
  controller.close();
  // A byte stream tells a BYOB read that waits only when its request is answered.
  if ("byobRequest" in controller)
    (controller as ReadableByteStreamController).byobRequest?.respond(0);
}
