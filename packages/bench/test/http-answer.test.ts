import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { isStreamgaugeError } from "@streamgauge/core";
import { createOpenAIGenerator, type OpenAIOptions } from "@streamgauge/bench/adapters";
import { postOverHttp } from "../src/adapters/http-answer.js";
import { errorKind } from "../src/load/error-kind.js";
import { makeCertificate } from "./certificate.js";
import { answering } from "./known-servers.js";
import {
  closeServers,
  delta,
  done,
  json,
  role,
  serve,
  usage,
  type Script,
} from "./scripted-openai.js";

/** What is delivered of a streamed answer, and what becomes of it. */
interface Outcome {
  readonly texts: readonly string[];
  readonly message: string;
  /** As a load counts it; null without a failure. */
  readonly kind: string | null;
}

async function outcomeAt(
  baseURL: string,
  options: Partial<OpenAIOptions> = {},
  onText: () => void = () => undefined,
): Promise<Outcome> {
  const generator = createOpenAIGenerator({
    baseURL,
    model: "whale",
    endpoint: "chat",
    ...options,
  });
  const texts: string[] = [];
  try {
    await generator.generateStream("Hello", ({ text }) => {
      texts.push(text);
      onText();
    });
    return { texts, message: "", kind: null };
  } catch (error) {
    if (!isStreamgaugeError(error)) throw error;
    return { texts, message: error.message, kind: errorKind(error) };
  }
}

async function outcomeOf(script: Script, options?: Partial<OpenAIOptions>): Promise<Outcome> {
  const { baseURL } = await serve(script);
  return await outcomeAt(baseURL, options);
}

const zipped =
  (status: number, text: string): Script =>
  (response) => {
    response.writeHead(status, {
      "content-type": "text/event-stream",
      "content-encoding": "gzip",
    });
    response.end(gzipSync(text));
  };

const redirecting =
  (location: string): Script =>
  (response) =>
    void response.writeHead(307, { location }).end();

const elsewhere = "https://whale:sesame@example.org/v1/chat/completions?key=sesame";

/** Sends text. Once that is delivered, the connection is ended. */
async function brokenOff(
  end: (socket: Socket | null) => void,
  options?: Partial<OpenAIOptions>,
): Promise<Outcome> {
  let socket: Socket | null = null;
  const { baseURL } = await serve((response) => {
    ({ socket } = response);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(role + delta({ content: "a" }));
  });
  return await outcomeAt(baseURL, options, () => end(socket));
}

describe("a request over node:http", () => {
  it.each<[string, Script, Outcome["kind"], RegExp]>([
    [
      "an error with words",
      json({ error: { message: "no whale" } }, 404),
      "HTTP 404",
      /no whale.*baseURL/,
    ],
    ["an error in plain text", json("out of order", 503), "HTTP 503", /: out of order/],
    [
      "a compressed error",
      zipped(429, "{}"),
      "HTTP 429",
      /answered 429 Too Many Requests \(the server/,
    ],
    ["a status of the server's own", json("{}", 999), "HTTP 999", /answered 999/],
    [
      "a status without a body",
      (response) => void response.writeHead(204).end(),
      "ENGINE_FAILED",
      /content-type ""/,
    ],
    [
      "a compressed answer",
      zipped(200, "x"),
      "ENGINE_FAILED",
      /content-encoding "gzip".*switch off/,
    ],
    [
      "a redirect",
      redirecting(elsewhere),
      "HTTP 307",
      /redirects to: https:\/\/example\.org\/v1\/chat\/completions\)/,
    ],
    ["a redirect to a path", redirecting("/v2?key=sesame"), "HTTP 307", /redirects to: \/v2\)/],
    [
      "what is not HTTP",
      ({ socket }) => void socket?.end("220 mail.example\r\n"),
      "ENGINE_FAILED",
      /HTTP/,
    ],
  ])("tells of %s", async (_, script, kind, message) => {
    const outcome = await outcomeOf(script);
    expect(outcome).toMatchObject({ texts: [], kind });
    expect(outcome.message).toMatch(message);
    expect(outcome.message).not.toContain("sesame");
  });

  it("is answered once: a redirect is not followed, and nothing compressed is asked for", async () => {
    const { baseURL, requests } = await serve(redirecting("/v1/chat/completions"));
    expect((await outcomeAt(baseURL)).kind).toBe("HTTP 307");
    expect(requests).toHaveLength(1);
    expect(requests[0]?.headers).not.toHaveProperty("accept-encoding");
    expect(requests[0]?.headers).toMatchObject({
      accept: "text/event-stream",
      "user-agent": "streamgauge",
    });
  });

  it.each<[string, (socket: Socket | null) => void]>([
    ["is closed", (socket) => void socket?.destroy()],
    ["is reset", (socket) => void socket?.resetAndDestroy()],
  ])("keeps the text before a connection %s", async (_, end) => {
    const outcome = await brokenOff(end);
    expect(outcome).toMatchObject({ texts: ["a"], kind: "ECONNRESET" });
    expect(outcome.message).toMatch(/broke off .*ECONNRESET/);
  });

  it("names what the system says of a server that is not there", async () => {
    const { baseURL } = await serve(answering);
    await closeServers();
    const outcome = await outcomeAt(baseURL);
    expect(outcome.kind).toBe("ECONNREFUSED");
    expect(outcome.message).toMatch(/could not be reached \(connect ECONNREFUSED.*see whether/);
  });

  it.each([
    ["before an answer", ""],
    ["within an answer", role],
  ])("ends when the server is silent %s", async (_, beginning) => {
    const { baseURL } = await serve(async (response, { closed }) => {
      if (beginning !== "") response.write(beginning);
      await closed;
    });
    const post = { headers: {}, body: "{}", signal: new AbortController().signal };
    const read = async (): Promise<void> => {
      const { body } = await postOverHttp(baseURL, { ...post, silenceMilliseconds: 50 });
      for await (const bytes of body) expect(String(bytes)).toBe(beginning);
    };
    await expect(read()).rejects.toMatchObject({
      code: "ETIMEDOUT",
      message: "nothing came in 0.05 s",
    });
  });

  it("goes over a new connection after the server has closed an unused one", async () => {
    const sockets: Socket[] = [];
    const { baseURL } = await serve((response, seen) => {
      if (response.socket !== null) sockets.push(response.socket);
      return answering(response, seen);
    });
    for (let request = 0; request < 3; request += 1) {
      expect((await outcomeAt(baseURL)).kind).toBeNull();
      const socket = sockets.at(-1);
      if (socket === undefined) throw new Error("The server saw no connection.");
      const closed = once(socket, "close");
      socket.end();
      await closed;
    }
    expect(new Set(sockets).size).toBe(3);
  });

  it("closes connections that are not used, before servers do", async () => {
    let closedByClient: Promise<unknown> | undefined;
    const { baseURL } = await serve((response, seen) => {
      const { socket } = response;
      if (socket !== null) closedByClient = once(socket, "end");
      return answering(response, seen);
    });
    await outcomeAt(baseURL);
    expect(await closedByClient).toEqual([]);
  });

  it("leaves the connection alone when it is aborted after the answer", async () => {
    const sockets = new Set<Socket | null>();
    const { baseURL } = await serve((response, seen) => {
      sockets.add(response.socket);
      return answering(response, seen);
    });
    for (let request = 0; request < 4; request += 1) {
      const controller = new AbortController();
      const post = { headers: {}, body: "{}", signal: controller.signal, silenceMilliseconds: 0 };
      const { body } = await postOverHttp(baseURL, post);
      let text = "";
      for await (const bytes of body) text += String(bytes);
      controller.abort();
      expect(text).toContain(done);
    }
    expect(sockets.size).toBe(1);
  });

  it("is read by whatever fetch a user gives", async () => {
    const followed: Script = (response, seen) =>
      seen.url === "/v2" ? answering(response, seen) : redirecting("/v2")(response, seen);
    const outcome = await outcomeOf(followed, { fetch: globalThis.fetch });
    expect(outcome).toEqual({ texts: ["a", "b"], message: "", kind: null });
    const broken = await brokenOff((socket) => void socket?.destroy(), {
      fetch: globalThis.fetch,
    });
    expect(broken.texts).toEqual(["a"]);
    expect(broken.kind).toBe("UND_ERR_SOCKET");
  });
});

describe("a load over TLS", () => {
  const program = fileURLToPath(new URL("../bin/streamgauge.js", import.meta.url));
  const { certificate, key } = makeCertificate();
  const listener: RequestListener = (request, response) => {
    request.resume().once("end", () => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(role + delta({ content: "a" }, "stop") + usage(3, 1) + done);
    });
  };

  it("takes a self-signed certificate that Node was told of, and no other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "streamgauge-tls-"));
    const server = createServer({ cert: certificate, key }, listener);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `https://127.0.0.1:${port}/v1`;
    const load = (env: NodeJS.ProcessEnv): Promise<{ code: unknown; said: string }> => {
      const flags = [
        "--url",
        url,
        "--model",
        "whale",
        "--chat",
        "--rate",
        "50",
        "--seconds",
        "0.2",
      ];
      const words = [program, "load", ...flags, "--out", join(folder, "record")];
      return new Promise((resolve) => {
        execFile(process.execPath, words, { env, cwd: folder }, (error, out, said) =>
          resolve({ code: error?.code ?? 0, said: out + said }),
        );
      });
    };
    try {
      const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
      const refused = await load(env);
      expect(refused.said).toMatch(/self-signed certificate.*NODE_EXTRA_CA_CERTS/s);
      expect(refused.code).not.toBe(0);
      await writeFile(join(folder, "certificate.pem"), certificate);
      const taken = await load({ ...env, NODE_EXTRA_CA_CERTS: join(folder, "certificate.pem") });
      expect(taken).toMatchObject({ code: 0 });
    } finally {
      server.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
