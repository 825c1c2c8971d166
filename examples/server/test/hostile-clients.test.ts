import { once } from "node:events";
import type { Socket } from "node:net";
import { createGenerator, createTokenQueue, type StreamToken } from "@streamgauge/core";
import { createRuntime, pacedModel } from "@streamgauge/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { plainToken } from "../../../packages/core/test/plain-token.js";
import { openSocket, readToEnd } from "./raw-client.js";
import { serve, type Served } from "./serve.js";

const paced = pacedModel({ stepMicroseconds: 200 });

let served: Served;
beforeAll(async () => {
  served = await serve({ model: paced, workers: 1 });
});
afterAll(() => served[Symbol.asyncDispose]());

afterEach(expectService);

/** Whatever a client did, the server serves the next, and took none of it for its own failure. */
async function expectService(): Promise<void> {
  const { client, model, failures } = served;
  const next = await client.completions.create({ model, prompt: "go", max_tokens: 2 });
  expect(next.choices[0]?.text).toBe(" 0 1");
  expect(failures).toEqual([]);
}

function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  return fetch(`${served.server.url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

const open = (): Promise<Socket> => openSocket(served.server.url);

function head(contentLength: number | string, path = "/v1/completions"): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${contentLength}\r\n\r\n`
  );
}

function endless(): string {
  const { model } = served;
  return JSON.stringify({ model, prompt: "go", max_tokens: 1_000_000, stream: true });
}

/** Opens a connection, sends a request that streams for ever, and waits for the first of it. */
async function openStream(): Promise<Socket> {
  const socket = await open();
  const body = endless();
  socket.write(head(Buffer.byteLength(body)) + body);
  await once(socket, "readable");
  return socket;
}

/** Whether a client's doing ends one generation as aborted; the test's time-out says no. */
async function isAbortedBy(doing: (socket: Socket) => unknown, socket: Socket): Promise<boolean> {
  const { runtime } = served;
  const aborted = (): number => runtime.metrics().generations.finished.aborted ?? 0;
  const before = aborted();
  await doing(socket);
  while (aborted() === before) await new Promise((resolve) => setImmediate(resolve));
  return aborted() === before + 1 && runtime.metrics().active === 0;
}

describe("bodies", () => {
  it.each([
    ["broken JSON", '{"model": '],
    ["no JSON", "Call me Ishmael."],
    ["nothing", ""],
    ["an array", "[]"],
    ["a number", "7"],
    ["null", "null"],
    ["very deep JSON", "[".repeat(5_000)],
    ["a deep value", `{"model":"paced","prompt":${"[".repeat(4_000)}${"]".repeat(4_000)}}`],
    ["a prototype", '{"model":"paced","prompt":"go","__proto__":{"max_tokens":5}}'],
    ["a lone continuation byte", new Uint8Array([0x22, 0x80, 0x22])],
  ])("%s is refused with 400", async (_, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });

  it("of another content type are refused with 415", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", ""]) {
      expect((await post("{}", { "content-type": type })).status).toBe(415);
    }
    const { model } = served;
    const body = JSON.stringify({ model, prompt: "go", max_tokens: 1 });
    const withCharset = await post(body, { "content-type": "Application/JSON; charset=utf-8" });
    expect(withCharset.status).toBe(200);
  });

  it("over the limit are refused with 413, whether or not they say their size", async () => {
    const body = JSON.stringify({ prompt: "x".repeat(20_000) });
    const declared = await post(body);
    expect(declared.status).toBe(413);
    expect(await declared.json()).toMatchObject({ error: { code: "body_too_large" } });
    const socket = await open();
    socket.write(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
        "Transfer-Encoding: chunked\r\n\r\n",
    );
    const answer = readToEnd(socket);
    // 64 kB, far more than the limit, and the client would go on.
    for (let part = 0; part < 16; part++) socket.write(`1000\r\n${"x".repeat(4096)}\r\n`);
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("that claim an enormous size are refused before they come", async () => {
    const socket = await open();
    socket.write(head("999999999999"));
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it("that come too slowly are given up", async () => {
    await using impatient = await serve({ model: paced }, { requestTimeoutMilliseconds: 1_000 });
    const socket = await openSocket(impatient.server.url);
    socket.write(`${head(100)}{`);
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("that break off are given up", async () => {
    const socket = await open();
    socket.write(`${head(100)}{`);
    // Answered behind the request that broke off.
    expect((await fetch(`${served.server.url}/health`)).status).toBe(200);
    socket.resetAndDestroy();
    await once(socket, "close");
  });
});

describe("connections", () => {
  it("with garbage behind a request are ended, and the generation with them", async () => {
    const sendGarbage = async (socket: Socket): Promise<void> => {
      socket.write("\0\0 not HTTP at all\r\n\r\n");
      await readToEnd(socket);
    };
    expect(await isAbortedBy(sendGarbage, await openStream())).toBe(true);
  });

  it("with nothing but garbage get 400", async () => {
    const socket = await open();
    socket.write("EHLO whale\r\n\r\n");
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("with enormous headers get 431", async () => {
    const socket = await open();
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(100_000)}\r\n\r\n`);
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 431 /);
  });

  it("that are closed half leave no generation behind", async () => {
    const closeHalf = async (socket: Socket): Promise<void> => {
      socket.end();
      socket.resume();
      await once(socket, "close");
    };
    expect(await isAbortedBy(closeHalf, await openStream())).toBe(true);
  });

  it("that are reset leave no generation behind", async () => {
    expect(await isAbortedBy((socket) => socket.resetAndDestroy(), await openStream())).toBe(true);
  });

  it("carry one request after the other", async () => {
    const socket = await open();
    const { model } = served;
    const body = JSON.stringify({ model, prompt: "go", max_tokens: 1 });
    const request = head(Buffer.byteLength(body)) + body;
    socket.write(
      request + request + "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    );
    const answers = await readToEnd(socket);
    expect(answers.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  });
});

describe("clients that come and go", () => {
  /** Asks for 60 tokens, and leaves when it has this many characters of the answer. */
  async function visit(stream: boolean, leaveAt: number, leave: "end" | "reset"): Promise<string> {
    const socket = await open();
    const body = JSON.stringify({ model: served.model, prompt: "go", max_tokens: 60, stream });
    socket.write(
      head(Buffer.byteLength(body)).replace(
        "Host: localhost",
        "Host: localhost\r\nConnection: close",
      ),
    );
    socket.write(body);
    let answer = "";
    const leaveThen = (): void => {
      if (answer.length < leaveAt) return;
      if (leave === "end") socket.destroy();
      else socket.resetAndDestroy();
    };
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
      leaveThen();
    });
    leaveThen();
    await once(socket, "close");
    return answer;
  }

  it("leave the others with every token, and nothing behind", async () => {
    const { runtime } = served;
    const expected = Array.from({ length: 60 }, (_, id) => ` ${id}`).join("");
    const visits = Array.from({ length: 80 }, async (_, visitor) => {
      const stays = visitor % 4 === 0;
      const leaveAt = stays ? Infinity : (visitor * 97) % 3_000;
      const answer = await visit(visitor % 5 !== 0, leaveAt, visitor % 2 === 0 ? "end" : "reset");
      if (!stays) return;
      const texts = [...answer.matchAll(/"text":"([^"]*)"/g)].map(([, text]) => text);
      expect(texts.join("")).toBe(expected);
    });
    await Promise.all(visits);
    const isBusy = (): boolean => runtime.metrics().active + runtime.metrics().queued > 0;
    while (isBusy()) await new Promise((resolve) => setImmediate(resolve));
    expect(runtime.metrics().generations.failed).toEqual({});
  });
});

describe("routes", () => {
  it("answer HEAD without a body, and name the methods they take", async () => {
    const { url } = served.server;
    const page = await fetch(url, { method: "HEAD" });
    expect(page.status).toBe(200);
    expect(await page.text()).toBe("");
    for (const [path, allow] of [
      ["/v1/completions", "POST"],
      ["/v1/models", "GET, HEAD"],
    ] as const) {
      const wrong = await fetch(url + path, { method: "DELETE" });
      expect(wrong.status).toBe(405);
      expect(wrong.headers.get("allow")).toBe(allow);
    }
    // Another site's page asks with OPTIONS first, and is not let in.
    const preflight = await fetch(`${url}/v1/completions`, { method: "OPTIONS" });
    expect(preflight.status).toBe(405);
    expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  });

  it.each(["/nothing", "/page/../package.json", "/__proto__", "//", "/v1/completions/"])(
    "do not have %s",
    async (path) => {
      const socket = await open();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 404 /);
    },
  );

  it("tell how the server is", async () => {
    const { url } = served.server;
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: "ok" });
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain("\nstreamgauge_generations_active 0\n");
  });

  it("let the page ask nothing but this server", async () => {
    const response = await fetch(served.server.url);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
  });
});

describe("a client that reads slowly", () => {
  it("makes the generation wait, and gets every token", async () => {
    const total = 20_000;
    const text = "x".repeat(2_000);
    let made = 0;
    const token = (index: number): StreamToken => plainToken(index, { text });
    const fast = createGenerator({
      collect: () => expect.fail("is streamed"),
      stream: () =>
        createTokenQueue(async (sink) => {
          for (; made < total; made++) while (!sink.push(token(made))) await sink.writable();
          const timings = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };
          return { finishReason: "length", promptTokens: 1, timings };
        }, 64).source,
    });
    const runtime = await createRuntime({ model: paced });
    await using slow = await serve({}, { runtime: { ...runtime, ...fast } });
    const response = await fetch(`${slow.server.url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: slow.model, prompt: "go", stream: true }),
    });
    // Until the sockets' buffers are full and nothing has moved for many turns.
    let before = -1;
    for (let still = 0; still < 500; still = made === before ? still + 1 : 0) {
      before = made;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(made).toBeGreaterThan(64);
    expect(made).toBeLessThan(total / 2);
    const wire = await response.text();
    expect(wire.match(/"text":"x+"/g)).toHaveLength(total);
    expect(wire.endsWith("data: [DONE]\n\n")).toBe(true);
  });
});
