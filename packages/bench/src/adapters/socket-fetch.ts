import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";

/** Unused connections are closed before servers do it: many do after five seconds. */
const unusedMilliseconds = 4000;

const agents = {
  http: new HttpAgent({ keepAlive: true, timeout: unusedMilliseconds }),
  https: new HttpsAgent({ keepAlive: true, timeout: unusedMilliseconds }),
};

/**
 * A `fetch` for event streams that takes less than half of the CPU time of the global one: what a
 * client can send is limited by that. It sends a text with POST, and nothing else.
 *
 * The body of an event stream is a stream of Node: it can be iterated, and no more. All other bodies
 * are those of `fetch`. A redirect, a compressed answer and a status that a `Response` cannot have are
 * asked for again with `fetch`.
 *
 * @throws Error of the system, such as ECONNREFUSED; AbortError after an abort
 */
export const fetchOverSockets: typeof globalThis.fetch = async (address, init = {}) => {
  const message = await send(String(address), init);
  if (!isReadHere(message)) {
    message.destroy();
    return await globalThis.fetch(address, init);
  }
  const { statusCode: status = 0, statusMessage: statusText = "", headers } = message;
  const type = headers["content-type"] ?? "";
  const head = { status, statusText, headers: { "content-type": type } };
  if (status === 200 && type.toLowerCase().startsWith("text/event-stream")) {
    // A stream of the web takes more time than reading what comes by it.
    return Object.defineProperty(new Response(null, head), "body", { value: message });
  }
  if (isWithoutBody(status)) {
    message.resume();
    return new Response(null, head);
  }
  return new Response(Readable.toWeb(message) as ReadableStream<Uint8Array>, head);
};

function isReadHere({ statusCode = 0, headers }: IncomingMessage): boolean {
  const isRedirect = statusCode >= 300 && statusCode < 400;
  const isKnown = statusCode >= 200 && statusCode < 600;
  // Nobody asks for compression here, and some compress in spite of it.
  const isPlain = (headers["content-encoding"] ?? "identity") === "identity";
  return isKnown && isPlain && !isRedirect;
}

/** A `Response` of these may have none. */
function isWithoutBody(status: number): boolean {
  return status === 204 || status === 205;
}

function send(address: string, { headers, body, signal }: RequestInit): Promise<IncomingMessage> {
  const bytes = Buffer.from(typeof body === "string" ? body : "");
  const options = {
    method: "POST",
    headers: {
      // As `fetch` has it: some gateways want one.
      "user-agent": "node",
      ...(headers as Readonly<Record<string, string>>),
      "content-length": bytes.byteLength,
    },
    ...(signal && { signal }),
  };
  return new Promise((resolve, reject) => {
    const request = address.startsWith("https:")
      ? httpsRequest(address, { ...options, agent: agents.https }, resolve)
      : httpRequest(address, { ...options, agent: agents.http }, resolve);
    // Also later ones, which whoever reads the answer hears of: without a listener the process ends.
    request.on("error", reject);
    request.end(bytes);
  });
}
