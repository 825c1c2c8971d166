// Streams that no server should send. Each must end in a result or in a typed error, at once,
// and leave neither a request nor a connection behind.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc, { type Arbitrary } from "fast-check";
import { expect, it } from "vitest";
import { isStreamgaugeError, type GenerationResult } from "@streamgauge/core";
import { createOpenAIGenerator } from "@streamgauge/bench/adapters";
import {
  changedDocument,
  damaged,
  fuzzParameters,
  hostileJson,
  hostileString,
} from "../../core/test/hostile-input.js";

interface Case {
  readonly mode: "generate" | "generateStream" | "generateStreamAsync";
  readonly ignoreEos: boolean;
  readonly status: number;
  readonly type: string;
  readonly body: string;
  /** Where the server pauses, as numbers that are taken modulo the length. */
  readonly pauses: readonly number[];
  readonly ending: "end" | "destroy" | "silence" | "short";
}

const chunks: readonly unknown[] = [
  { choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] },
  { choices: [{ index: 0, delta: { content: "Call" }, finish_reason: "" }], usage: null },
  { choices: [{ index: 0, delta: { reasoning_content: "", reasoning: "Hm" } }] },
  {
    choices: [
      {
        delta: {
          content: [
            { type: "thinking", thinking: [{ type: "text", text: "Hm" }] },
            { type: "text", text: "Yes" },
          ],
        },
      },
    ],
  },
  { choices: [{ index: 0, delta: { refusal: "No" } }] },
  { choices: [{ index: 0, text: " me", finish_reason: null }] },
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
  { choices: [{ index: 0, delta: { content: "." }, finish_reason: "length" }] },
  { choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } },
  { choices: [], usage: { input_tokens: 3, output_tokens: 4, prompt_tokens: 0 } },
  { choices: [], prompt_filter_results: [] },
];

const answers: readonly unknown[] = [
  {
    choices: [{ index: 0, message: { content: "Call me", refusal: null }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  },
  {
    choices: [{ index: 0, text: "Call me", finish_reason: "length" }],
    usage: { input_tokens: 3, output_tokens: 2 },
  },
];

/** Mostly sound, because what is broken at its beginning is never read to its end. */
function jsonOf(documents: readonly unknown[]): Arbitrary<string> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...documents).map((sound) => JSON.stringify(sound)) },
    {
      weight: 3,
      arbitrary: hostileJson(
        fc.constantFrom(...documents).chain((sound) => changedDocument(sound)),
      ),
    },
    { weight: 1, arbitrary: hostileJson() },
  );
}

/** The first one in nine cases of ten. */
function mostly<T>(usual: T, ...others: readonly T[]): Arbitrary<T> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

const event = fc
  .record({
    field: fc.oneof(
      { weight: 20, arbitrary: fc.constantFrom("data: ", "data:", "event: x\ndata: ") },
      { weight: 1, arbitrary: fc.constant("") },
    ),
    json: jsonOf(chunks),
    end: fc.constantFrom("\n\n", "\n\n", "\r\n\r\n", "\r\r", "\n"),
  })
  .map(({ field, json, end }) => `${field}${json}${end}`);

const line = fc.oneof(
  fc.constantFrom(
    "data: [DONE]\n\n",
    ": OPENROUTER PROCESSING\n\n",
    "data:\n\n",
    "event: error\n",
    'data: {"error": {"message": "out of memory", "code": 500}}\n\n',
    'data: {"object": "error", "message": "out of memory"}\n\n',
    "id: 1\nretry: x\n",
    '{"error":\n{"message": "bare"}\n}\n',
    "\n",
  ),
  hostileString().map((text) => `error: ${text}\n\n`),
  hostileString().map((text) => `${text}\n`),
);

const eventStream = fc
  .array(fc.oneof({ weight: 20, arbitrary: event }, { weight: 1, arbitrary: line }), {
    maxLength: 8,
  })
  .chain((parts) =>
    fc.constantFrom("", "data: [DONE]\n\n", "data: [DONE]").map((done) => parts.join("") + done),
  );

const body = fc.oneof(
  { weight: 8, arbitrary: eventStream },
  { weight: 2, arbitrary: damaged(eventStream) },
);

const hostileCase: Arbitrary<Case> = fc
  .record({
    mode: fc.constantFrom<Case["mode"]>("generate", "generateStream", "generateStreamAsync"),
    ignoreEos: fc.nat(3).map((draw) => draw === 0),
    status: mostly(200, 204, 400, 500),
    type: mostly("text/event-stream", "text/event-stream; charset=utf-8", "application/json", ""),
    streamed: body,
    whole: jsonOf(answers),
    pauses: fc.array(fc.nat(), { maxLength: 5 }),
    ending: mostly<Case["ending"]>("end", "destroy", "silence", "short"),
  })
  .map(({ streamed, whole, ...rest }) => ({
    ...rest,
    body: rest.mode === "generate" || rest.type === "application/json" ? whole : streamed,
  }));

/** Answers as the case says; `silent` is called when nothing more will come. */
async function answer(
  response: ServerResponse,
  { status, type, body: text, pauses, ending }: Case,
  silent: () => void,
): Promise<void> {
  const bytes = Buffer.from(text);
  const headers = {
    ...(type === "" ? {} : { "content-type": type }),
    // Promises more than comes.
    ...(ending === "short" ? { "content-length": String(bytes.length + 1) } : {}),
  };
  response.writeHead(status, headers);
  const cuts = pauses.map((pause) => pause % (bytes.length + 1)).toSorted((a, b) => a - b);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    if (response.destroyed) break;
    response.write(bytes.subarray(from, to));
    from = to;
    await nextTurn();
  }
  if (ending === "end") response.end();
  else if (ending === "silence") silent();
  else response.destroy();
}

function expectPlain(text: string): void {
  expect(text).toMatch(/^[^\p{Cc}]{1,1200}$/u);
  expect(text.isWellFormed()).toBe(true);
}

function expectSound(result: GenerationResult & { readonly terms: readonly string[] }): void {
  expect(["eos", "length", "aborted"]).toContain(result.finishReason);
  const { promptTokens, completionTokens } = result.usage;
  expect(
    Number.isNaN(promptTokens) || (Number.isSafeInteger(promptTokens) && promptTokens > 0),
  ).toBe(true);
  expect(Number.isSafeInteger(completionTokens) && completionTokens >= 0).toBe(true);
  if (result.text !== "") expect(completionTokens).toBeGreaterThan(0);
  result.terms.forEach(expectPlain);
}

it("ends each hostile stream in a result or a typed error, and leaves nothing behind", async () => {
  let current: Case | undefined;
  let silent = (): void => undefined;
  const unanswered = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    unanswered.add(response);
    response.once("close", () => unanswered.delete(response));
    request.resume().once("end", () => {
      if (current === undefined) response.destroy();
      else void answer(response, current, silent);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const generator = createOpenAIGenerator({
    baseURL,
    model: "whale",
    endpoint: "chat",
    extensions: ["ignore_eos"],
  });
  const handlesBefore = openHandles();
  const outcomes: Record<string, number> = {};

  const run = async (given: Case): Promise<void> => {
    current = given;
    const controller = new AbortController();
    silent = () => controller.abort();
    const config = { maxTokens: 8, ignoreEos: given.ignoreEos, signal: controller.signal };
    const texts: string[] = [];
    const generate = async (): Promise<
      GenerationResult & { readonly terms: readonly string[] }
    > => {
      if (given.mode === "generate") return await generator.generate("Hello", config);
      if (given.mode === "generateStream") {
        return await generator.generateStream("Hello", ({ text }) => void texts.push(text), config);
      }
      const stream = generator.generateStreamAsync("Hello", config);
      for await (const { text } of stream) texts.push(text);
      return await stream.result;
    };
    try {
      const result = await atOnce(generate());
      expectSound(result);
      if (given.mode !== "generate") expect(result.text).toBe(texts.join(""));
      count(outcomes, result.finishReason);
    } catch (error) {
      if (!isStreamgaugeError(error, "ENGINE_FAILED")) throw error;
      expectPlain(error.message);
      if (given.mode !== "generate") expect(error.partial?.text).toBe(texts.join(""));
      count(outcomes, "failed");
    }
    expect(texts).not.toContain("");
    expect(Object.keys(Object.prototype)).toEqual([]);
  };

  await fc.assert(fc.asyncProperty(hostileCase, run), fuzzParameters(19));
  // A fuzzer that only ever sees one outcome tests nothing.
  expect(Object.keys(outcomes).toSorted()).toEqual(["aborted", "eos", "failed", "length"]);

  current = undefined;
  server.closeIdleConnections();
  while (unanswered.size > 0 || (await connectionsOf(server)) > 0) await nextTurn();
  const closed = once(server, "close");
  server.close();
  await closed;
  while (openHandles() > handlesBefore) await nextTurn();
}, 600_000);

/** Rejects after 5 seconds, which is a hundred times what a case takes. */
async function atOnce<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("This case hangs.")), 5000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function count(outcomes: Record<string, number>, outcome: string): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

async function connectionsOf(server: ReturnType<typeof createServer>): Promise<number> {
  return await new Promise((resolve, reject) => {
    server.getConnections((error, open) => (error === null ? resolve(open) : reject(error)));
  });
}

/** Sockets and timers of this process; a listening server is counted as something else. */
function openHandles(): number {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kind === "TCPSocketWrap" || kind === "Timeout").length;
}
