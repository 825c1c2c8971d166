import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Socket } from "node:net";

/** What a server answers, as far as the adapter needs it. */
export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Can be read once. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives up what was not read. A read that waits ends. */
  close(): void;
}

/** What is sent. */
export interface HttpPost {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Closes the request, also while its answer is read. */
  readonly signal: AbortSignal;
  /** Longest time in which nothing comes. 0: no limit. */
  readonly silenceMilliseconds: number;
}

/** Sends a POST. Rejects with what hindered it; every status is an answer. */
export type SendPost = (address: string, post: HttpPost) => Promise<HttpAnswer>;

/** Servers close connections that nobody uses, most after five seconds. We are sooner. */
const unusedMilliseconds = 1000;

/** Longest time until a server has accepted a connection. */
const connectMilliseconds = 10_000;

/** Node.js from 24.5 on takes proxies from the environment, if told to; agents are told by this option. */
const proxy = process.env["NODE_USE_ENV_PROXY"] === "1" ? { proxyEnv: process.env } : {};

const kept = { keepAlive: true, timeout: unusedMilliseconds, ...proxy };
const agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) };

/**
 * Sends over `node:http` or `node:https`, which take less than half of the CPU time of `fetch`.
 * Connections are kept for the next request. Redirects are answers, and no compression is asked for.
 *
 * @throws Error with the system's code, such as ECONNREFUSED; ETIMEDOUT for a limit of ours
 */
export const postOverHttp: SendPost = (address, { headers, body, signal, silenceMilliseconds }) =>
  new Promise((resolve, reject) => {
    const bytes = Buffer.from(body);
    const options = {
      method: "POST",
      headers: { "user-agent": "streamgauge", ...headers, "content-length": bytes.byteLength },
      timeout: silenceMilliseconds,
    };
    const request = address.startsWith("https:")
      ? httpsRequest(address, { ...options, agent: agents.https })
      : httpRequest(address, { ...options, agent: agents.http });
    let message: IncomingMessage | undefined;
    // Node's own `signal` option destroys the connection also after the answer has ended, when it
    // can be another request's, and nobody listens to its error.
    const end = (reason?: Error): void => void (message ?? request).destroy(reason);
    const abort = (): void => end();
    signal.addEventListener("abort", abort, { once: true });
    request.once("close", () => signal.removeEventListener("abort", abort));
    request.once("response", (received) => {
      message = received;
      resolve(answerOf(received));
    });
    // Later errors come here too. Whoever reads the answer hears of them by its body.
    request.on("error", reject);
    request.once("timeout", () => end(timedOut("nothing came", silenceMilliseconds)));
    request.once("socket", (socket) =>
      limitConnecting(socket, () => end(timedOut("no connection", connectMilliseconds))),
    );
    request.end(bytes);
    if (signal.aborted) abort();
  });

/** Sends with a `fetch` that a user gave. */
export function postWith(fetch: typeof globalThis.fetch): SendPost {
  return async (address, { headers, body, signal }) => {
    const response = await fetch(address, { method: "POST", headers, body, signal });
    const { status, statusText } = response;
    const reader = response.body?.getReader();
    return {
      status,
      statusText,
      // It has undone the compression.
      headers: { "content-type": response.headers.get("content-type") ?? undefined },
      body: reader === undefined ? nothing() : chunksOf(reader),
      close: () => void reader?.cancel().catch(() => undefined),
    };
  };
}

function answerOf(message: IncomingMessage): HttpAnswer {
  const { statusCode = 0, statusMessage = "", headers } = message;
  return {
    status: statusCode,
    statusText: statusMessage,
    headers: headers as Readonly<Record<string, string | undefined>>,
    body: message,
    close: () => void message.destroy(),
  };
}

function limitConnecting(socket: Socket, giveUp: () => void): void {
  if (!socket.connecting) return;
  const timer = setTimeout(giveUp, connectMilliseconds);
  const clear = (): void => clearTimeout(timer);
  socket.once("connect", clear).once("close", clear);
}

function timedOut(what: string, milliseconds: number): Error {
  return Object.assign(new Error(`${what} in ${milliseconds / 1000} s`), { code: "ETIMEDOUT" });
}

async function* chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
