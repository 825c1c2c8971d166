import type { OpenAI } from "openai";
import { eventBody, eventsByFetchName, eventsHereName } from "./event-stacks.js";
import type { RunStack, Stack, TokenSource } from "./stack.js";

/** Makes the client of a run. */
type ClientOf = (source: TokenSource) => OpenAI;
type Read = (client: OpenAI, tokens: number, take: (text: string) => void) => Promise<void>;

const iterate: Read = async (client, tokens, take) => {
  const chunks = await client.chat.completions.create({ ...requestOf(tokens), stream: true });
  for await (const { choices } of chunks) {
    const text = choices[0]?.delta.content ?? "";
    if (text !== "") take(text);
  }
};

const listen: Read = async (client, tokens, take) => {
  const running = client.chat.completions.stream(requestOf(tokens));
  running.on("content", (text) => take(text));
  await running.done();
};

/** The openai package, over a body that is made in this process, and over a socket. */
export const openaiStacks: readonly Stack[] = [
  inProcess("openai for await", iterate),
  inProcess("openai .stream()", listen),
  overSocket("openai for await, socket", iterate),
  overSocket("openai .stream(), socket", listen),
];

function inProcess(name: string, read: Read): Stack {
  return {
    name,
    against: eventsHereName,
    library: "openai",
    socket: false,
    async open({ load }) {
      const { OpenAI: Client } = await load("openai");
      return runOf(read, (source) => {
        const headers = { "content-type": "text/event-stream" };
        const answer = () => Promise.resolve(new Response(eventBody(source), { headers }));
        return new Client({ apiKey: "none", maxRetries: 0, fetch: answer });
      });
    },
  };
}

function overSocket(name: string, read: Read): Stack {
  return {
    name,
    against: eventsByFetchName,
    library: "openai",
    socket: true,
    async open({ load, server }) {
      const { OpenAI: Client } = await load("openai");
      const { baseUrl } = await server();
      const client = new Client({ apiKey: "none", maxRetries: 0, baseURL: baseUrl });
      return runOf(read, () => client);
    },
  };
}

function runOf(read: Read, clientOf: ClientOf): RunStack {
  return async (source, take) => await read(clientOf(source), source.tokens, take);
}

function requestOf(tokens: number) {
  return {
    model: "known-tokens",
    max_tokens: tokens,
    messages: [{ role: "user" as const, content: "known tokens" }],
  };
}
