import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { createParser } from "eventsource-parser";
import { chunkEvent, endEvents, startEvent, textOfChunk } from "./chat-chunks.js";
import { chatRequest } from "./chat-server.js";
import { baselineName } from "./plain-stacks.js";
import type { Stack, TokenSource } from "./stack.js";

/** Names that others are compared with. */
export const eventsHereName = "SSE body, no socket";
export const eventsByFetchName = "SSE socket, fetch";

/** Server-sent events, parsed by eventsource-parser, which the bench depends on. */
export const eventStacks: readonly Stack[] = [
  {
    name: eventsHereName,
    against: baselineName,
    library: null,
    socket: false,
    open: async () => async (source, take) => await parseEvents(eventBody(source), take),
  },
  overSocket("SSE socket, node:http", async (url, { body, headers }) => {
    const call = request(url, { method: "POST", headers });
    call.end(body);
    const [response] = (await once(call, "response")) as [IncomingMessage];
    return response;
  }),
  overSocket(eventsByFetchName, async (url, asked) => {
    const { body } = await fetch(url, { method: "POST", ...asked });
    return body;
  }),
];

/** @param ask sends the request, and gives the body of the answer; null where there is none */
function overSocket(
  name: string,
  ask: (
    url: string,
    asked: ReturnType<typeof chatRequest>,
  ) => Promise<AsyncIterable<Uint8Array> | null>,
): Stack {
  return {
    name,
    against: null,
    library: null,
    socket: true,
    open: async ({ server }) => {
      const { url } = await server();
      return async ({ tokens }, take) => {
        const body = await ask(url, chatRequest(tokens));
        if (body !== null) await parseEvents(body, take);
      };
    },
  };
}

/** The body of a chat completion, made in this process: an event for each token, when it is read. */
export function eventBody({ stream, textOf }: TokenSource): ReadableStream<Uint8Array> {
  const iterator = stream()[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(encoder.encode(startEvent));
      },
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done !== true) return controller.enqueue(encoder.encode(chunkEvent(textOf(value))));
        controller.enqueue(encoder.encode(endEvents));
        controller.close();
      },
      async cancel() {
        await iterator.return();
      },
    },
    { highWaterMark: 0 },
  );
}

async function parseEvents(
  body: AsyncIterable<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  const parser = createParser({
    onEvent({ data }) {
      const text = textOfChunk(data);
      if (text !== "") take(text);
    },
  });
  const decoder = new TextDecoder();
  for await (const bytes of body) parser.feed(decoder.decode(bytes, { stream: true }));
}
