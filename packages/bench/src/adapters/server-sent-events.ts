import { StreamgaugeError } from "@streamgauge/core";
import { createParser } from "eventsource-parser";

/** One event of a stream. */
export interface ServerSentEvent {
  /** Undefined for an event without a name. */
  readonly event: string | undefined;
  readonly data: string;
  /** False where the stream ended before the blank line that completes an event. */
  readonly whole: boolean;
}

/** A line that the standard tells clients to ignore, because its field is unknown. */
export interface ForeignLine {
  readonly foreign: string;
}

/**
 * The events of a server-sent event stream, as many at a time as a network chunk
 * completes. Events and characters may be split across chunks anywhere. Comments,
 * which servers send to keep a connection alive, are left out.
 *
 * An event that the end of the stream cuts off comes last, and says so: servers
 * forget the last blank line. Lines with an unknown field come in their place
 * among the events, because servers write their errors there.
 *
 * @throws StreamgaugeError `ENGINE_FAILED` for an event of more than 16 Mi characters
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly (ServerSentEvent | ForeignLine)[], void, undefined> {
  let items: (ServerSentEvent | ForeignLine)[] = [];
  let whole = true;
  const parser = createParser({
    maxBufferSize: maxEventCharacters,
    onEvent: ({ event, data }) => void items.push({ event, data, whole }),
    onError: ({ type, line }) => {
      if (type === "max-buffer-size-exceeded") throw eventTooLong();
      if (type === "unknown-field" && line !== undefined) items.push({ foreign: line });
    },
  });
  const decoder = new TextDecoder();
  const unifyLineEnds = createLineEndUnifier();
  for await (const bytes of body) {
    parser.feed(unifyLineEnds(decoder.decode(bytes, { stream: true })));
    if (items.length > 0) {
      yield items;
      items = [];
    }
  }
  // The end of the last line, and the blank line. Where both were sent, nothing is left.
  whole = false;
  parser.feed(`${unifyLineEnds(decoder.decode())}\n\n`);
  if (items.length > 0) yield items;
}

const maxEventCharacters = 16 * 1024 * 1024;

function eventTooLong(): StreamgaugeError {
  return new StreamgaugeError(
    "ENGINE_FAILED",
    `The server sent an event of more than ${maxEventCharacters} characters: see whether this is ` +
      `an OpenAI-compatible endpoint.`,
  );
}

/**
 * Makes CRLF and CR into LF. The parser understands all three, but after a CR at
 * the end of a chunk it waits for the LF that may follow, and where lines end in
 * CR alone every token would come out one chunk late.
 */
function createLineEndUnifier(): (text: string) => string {
  let endedInReturn = false;
  return (text) => {
    if (text === "") return "";
    const rest = endedInReturn && text.startsWith("\n") ? text.slice(1) : text;
    endedInReturn = text.endsWith("\r");
    return rest.includes("\r") ? rest.replaceAll(/\r\n?/g, "\n") : rest;
  };
}
