import { once } from "node:events";
import type { Socket } from "node:net";
import { pacedModel } from "@streamgauge/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openSocket, post, readToEnd } from "./raw-client.js";
import { serve, untilHolds, type Served } from "./serve.js";

const key = "a-key-that-nobody-else-has-0123456789";
const authorization = `Bearer ${key}`;
const workers = 2;
const maxBodyBytes = 4_000_000;

const paced = pacedModel({ stepMicroseconds: 200 });

let served: Served;
beforeAll(async () => {
  served = await serve({ model: paced, workers, maxQueue: 32 }, { maxBodyBytes, apiKey: key });
});
afterAll(() => served[Symbol.asyncDispose]());

afterEach(({ task }) => expectHonestService(task.name));

/** After whatever was done, nothing of it is left, and an honest client is served at once. */
async function expectHonestService(attack: string): Promise<void> {
  const startedAt = performance.now();
  const response = await fetch(`${served.server.url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization },
    body: JSON.stringify({ model: served.model, prompt: "go", max_tokens: 2 }),
  });
  const answer = (await response.json()) as { choices: { text: string }[] };
  console.log(`${attack}: then served in ${(performance.now() - startedAt).toFixed(0)} ms`);
  expect(answer.choices[0]?.text).toBe(" 0 1");
  await untilHolds(() => running() === 0);
  const { generations } = served.runtime.metrics();
  expect(generations.failed).toEqual({});
  // Nobody had to wait for a deadline.
  expect(generations.finished.deadline).toBeUndefined();
  expect(served.failures).toEqual([]);
}

function running(): number {
  const { active, queued } = served.runtime.metrics();
  return active + queued;
}

function aborted(): number {
  return served.runtime.metrics().generations.finished.aborted ?? 0;
}

function ended(): number {
  const { finished } = served.runtime.metrics().generations;
  return Object.values(finished).reduce((sum, count) => sum + count, 0);
}

function endless(stream: boolean): string {
  const { model } = served;
  const body = { model, prompt: "go", max_tokens: 1_000_000, stream };
  return post("/v1/completions", JSON.stringify(body), { authorization });
}

async function open(): Promise<Socket> {
  return await openSocket(served.server.url);
}

describe("requests behind each other on one connection", () => {
  it.each([
    ["streamed", [true]],
    ["not streamed", [false]],
    ["of both kinds", [true, false]],
  ])("%s, stop when it goes away", async (_, streams) => {
    const before = aborted();
    const socket = await open();
    const requests = Array.from({ length: 12 }, (__, i) =>
      endless(streams[i % streams.length] ?? true),
    );
    socket.write(requests.join(""));
    await untilHolds(() => running() === 12);
    expect(served.runtime.metrics()).toMatchObject({ active: workers, queued: 12 - workers });
    const made = served.runtime.metrics().tokens.completion;
    socket.destroy();
    await untilHolds(() => aborted() === before + 12);
    // Far fewer than the million that each of them asked for.
    expect(served.runtime.metrics().tokens.completion - made).toBeLessThan(100_000);
  });

  it("stop when it is closed half, and when it is reset", async () => {
    for (const leave of [
      (socket: Socket) => socket.end(),
      (socket: Socket) => socket.resetAndDestroy(),
    ]) {
      const before = aborted();
      const socket = await open();
      socket.resume();
      socket.write(endless(true).repeat(12));
      await untilHolds(() => running() === 12);
      leave(socket);
      await untilHolds(() => running() === 0);
      expect(aborted()).toBe(before + 12);
    }
  });
});

describe("clients that leave", () => {
  it("200 times, at any moment", async () => {
    for (let round = 0; round < 8; round++) {
      const sockets = await Promise.all(
        Array.from({ length: 25 }, async (_, i) => {
          const socket = await open();
          const request = endless(i % 2 === 0);
          // Some of them break off within their request.
          socket.write(i % 5 === 0 ? request.slice(0, i * 9) : request);
          socket.on("data", () => undefined);
          return socket;
        }),
      );
      // As many turns as there are rounds: queued, begun, in the midst of it.
      for (let turn = 0; turn < round * 20; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const [i, socket] of sockets.entries()) {
        if (i % 3 === 0) socket.resetAndDestroy();
        else if (i % 3 === 1) socket.destroy();
        else socket.end();
      }
      const closing = sockets.filter((socket) => !socket.closed);
      await Promise.all(closing.map((socket) => once(socket, "close")));
    }
    await untilHolds(() => running() === 0);
    expect(served.runtime.metrics().workers.lost).toBe(0);
  });
});

describe("clients that stay", () => {
  it("and send nothing, or a letter now and then, keep nobody waiting", async () => {
    // Honest clients have this long too, also where the machine stalls meanwhile.
    const patience = { requestTimeoutMilliseconds: 4_000, apiKey: key };
    await using impatient = await serve({ model: paced }, patience);
    const { url } = impatient.server;
    const request = endless(true);
    const sockets = await Promise.all(Array.from({ length: 40 }, () => openSocket(url)));
    const answers = sockets.map(readToEnd);
    for (const [i, socket] of sockets.entries()) {
      if (i % 2 === 0) socket.write(request.slice(0, 20 + i * 4));
    }
    const honest = await fetch(`${url}/health`);
    expect(honest.status).toBe(200);
    for (const socket of sockets) socket.write(request.slice(20, 21));
    // Whoever began a request and did not end it is told so, and all are sent away.
    const told = await Promise.all(answers);
    expect(told.filter((answer) => /^HTTP\/1\.1 (400|408) /.test(answer)).length).toBe(40);
  });
});

describe("bodies", () => {
  const send = (body: string, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${served.server.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization, ...headers },
      body,
    });

  it("of 10 MB are refused", async () => {
    expect((await send(JSON.stringify({ prompt: "x".repeat(10_000_000) }))).status).toBe(413);
    const socket = await open();
    const answer = readToEnd(socket);
    const chunked = { authorization, "transfer-encoding": "chunked" };
    socket.write(post("/v1/completions", "", chunked).replace(/content-length: 0\r\n/, ""));
    // One byte more than the server drops, then nothing: the refusal does not wait for the end of
    // the body, and a client that has nothing more to send cannot lose it to a reset.
    const part = "x".repeat(maxBodyBytes);
    const size = part.length.toString(16);
    socket.write(`${size}\r\n${part}\r\n`.repeat(4));
    socket.write("1\r\nx");
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(socket.destroyed).toBe(true);
  });

  it.each([
    ["an array", (depth: number) => "[".repeat(depth) + "]".repeat(depth)],
    ["a prompt", (depth: number) => `{"prompt":${"[".repeat(depth)}${"]".repeat(depth)}}`],
    [
      "messages",
      (depth: number) => `{"messages":${'[{"content":'.repeat(depth)}1${"}]".repeat(depth)}}`,
    ],
    ["a field", (depth: number) => `{"tools":${'{"x":'.repeat(depth)}1${"}".repeat(depth)}}`],
    [
      "what asks for nothing",
      (depth: number) => `{"metadata":${'{"x":'.repeat(depth)}1${"}".repeat(depth)}}`,
    ],
  ])("that nest deeply are refused: %s", async (_, make) => {
    for (const depth of [100, 10_000, 150_000]) {
      const response = await send(make(depth));
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    }
  });
});

describe("wrong names and wrong keys", () => {
  it("get an answer each, and no seat", async () => {
    const before = ended();
    const body = JSON.stringify({ model: served.model, prompt: "go", max_tokens: 1_000_000 });
    const wrong = [
      { host: "evil.example" },
      { origin: "https://evil.example" },
      { authorization: "Bearer x" },
      { authorization: "" },
    ];
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const socket = await open();
        const headers = { authorization, ...wrong[i % wrong.length], connection: "close" };
        socket.write(post("/v1/completions", body, headers));
        return await readToEnd(socket);
      }),
    );
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 (401|403) /);
    expect([ended(), running()]).toEqual([before, 0]);
  });
});
