import { invalidOption } from "../option-table.js";
import type { StreamToken, TokenStream } from "../generator.js";
import { takeReady } from "./async-iterable.js";
import {
  completionChunks,
  completionFailure,
  type CompletionChunkOptions,
} from "./completion-chunks.js";
import { WholeCharacters } from "./whole-characters.js";

/** The fields of one server-sent event. Each is optional; without `data`, clients see nothing. */
export interface ServerSentEvent {
  /** The event's type. One line. */
  readonly event?: string;
  /** What a client that reconnects names as the last it saw. One line, without NUL. */
  readonly id?: string;
  /** Any text: each of its lines becomes a `data` field, and the client joins them with LF. */
  readonly data?: string;
  /** Any text, for people and proxies: clients skip it. */
  readonly comment?: string;
}

/**
 * One event in the wire format, with the blank line that ends it. CRLF, CR and LF
 * in `data` and `comment` all end a line, so that no text can begin a field of
 * its own; a client gets LF for each.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a line break in `event` or `id`, or NUL in `id`
 */
export function formatServerSentEvent({ event, id, data, comment }: ServerSentEvent): string {
  return (
    (comment === undefined ? "" : field("", comment)) +
    (event === undefined ? "" : field("event", oneLine("event", event))) +
    (id === undefined ? "" : field("id", oneLine("id", id))) +
    (data === undefined ? "" : field("data", data)) +
    "\n"
  );
}

/** How completion events are made. */
export interface CompletionEventOptions extends CompletionChunkOptions {
  /**
   * Sends a comment whenever the reader has waited this long, above 0, so that
   * proxies keep the connection. Default: none is sent.
   */
  readonly heartbeatMilliseconds?: number;
}

/**
 * Turns a generation into the server-sent events of an OpenAI-compatible server:
 * a chunk for each piece of text, one with the finish reason, one with the usage
 * if it is asked for, and `[DONE]`. Each piece of the stream is one or more whole
 * events: those of tokens that are there at once go into one write. The text of each is
 * whole characters: half a surrogate pair waits for the next token, since not every
 * client can put two halves together.
 *
 * It stops and ends as {@link TokenStream} says, and is made on demand: a reader
 * that does not read makes the producer wait. Only failures are told in other words:
 *
 * - A failure before anything was sent makes the first read reject with its
 *   `StreamgaugeError`, so that a server can still answer with a status.
 * - Later the status is gone: the failure becomes an event with an `error` object,
 *   and the stream ends without `[DONE]`, because the completion is not complete.
 *   `stream.result` rejects with the error itself.
 *
 * @throws StreamgaugeError `STREAM_CONSUMED` when the stream is read already,
 *   `INVALID_OPTION` for `continuousUsage` without `includeUsage`
 */
export function toServerSentEvents(
  stream: TokenStream,
  options: CompletionEventOptions,
): ReadableStream<Uint8Array> {
  const { heartbeatMilliseconds } = options;
  const encoder = new TextEncoder();
  const chunks = completionChunks(options);
  const characters = new WholeCharacters();
  const tokens = stream[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<StreamToken, undefined>> | undefined;
  let completionTokens = 0;
  let sent = false;
  let cancelled = false;

  /** The events that came next; undefined when nothing came for a heartbeat's time. */
  async function nextEvents(): Promise<{ text: string; last: boolean } | undefined> {
    for (;;) {
      // A token that a heartbeat overtook is still on its way.
      next ??= tokens.next();
      const step = await withinTime(next, heartbeatMilliseconds);
      if (step === undefined) return undefined;
      next = undefined;
      if (step.done === true) {
        const half = characters.end();
        const payloads = half === "" ? [] : [chunks.piece(half, completionTokens)];
        payloads.push(...chunks.end(await stream.result), "[DONE]");
        return {
          text: payloads.map((data) => formatServerSentEvent({ data })).join(""),
          last: true,
        };
      }
      let events = "";
      for (
        let token: StreamToken | undefined = step.value;
        token !== undefined;
        token = takeReady(tokens)
      ) {
        // Nothing became readable with such a token, and an empty chunk would pass for the first.
        const text = characters.take(token.text);
        completionTokens = token.index + 1;
        if (text === "") continue;
        events += formatServerSentEvent({ data: chunks.piece(text, completionTokens) });
      }
      if (events !== "") return { text: events, last: false };
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let events: { text: string; last: boolean };
        try {
          events = (await nextEvents()) ?? {
            text: formatServerSentEvent({ comment: "waiting" }),
            last: false,
          };
        } catch (error) {
          if (!sent) throw error;
          events = { text: formatServerSentEvent({ data: completionFailure(error) }), last: true };
        }
        if (cancelled) return;
        sent = true;
        controller.enqueue(encoder.encode(events.text));
        if (events.last) controller.close();
      },
      async cancel() {
        cancelled = true;
        await tokens.return();
      },
    },
    // The generation's own buffer is the only one: nothing is taken before it is read.
    { highWaterMark: 0 },
  );
}

/** What a promise brings; undefined if it takes longer than allowed. */
function withinTime<T>(promise: Promise<T>, milliseconds: number | undefined) {
  if (milliseconds === undefined) return promise;
  return new Promise<T | undefined>((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds, undefined);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function field(name: string, value: string): string {
  return value
    .split(/\r\n|\r|\n/)
    .map((line) => `${name}: ${line}\n`)
    .join("");
}

function oneLine(name: "event" | "id", value: string): string {
  // oxlint-disable-next-line no-control-regex
  if (name === "id" ? !/[\r\n\0]/.test(value) : !/[\r\n]/.test(value)) return value;
  throw invalidOption(
    `The ${name} of a server-sent event is ${JSON.stringify(value)}; it must be one line` +
      `${name === "id" ? " without NUL" : ""}. Put text of several lines into \`data\`.`,
  );
}
