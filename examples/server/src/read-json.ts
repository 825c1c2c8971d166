import type { IncomingMessage } from "node:http";
import { messageOf } from "@streamgauge/core";
import { HttpFailure } from "./http-failure.js";

/**
 * A body over the limit is read and dropped up to this many times the limit
 * before it is refused: a connection that is closed on a client in the middle of
 * sending is reset, and the client would never see why.
 */
const droppedLimits = 4;

/**
 * Reads a request's body as JSON.
 *
 * @throws HttpFailure 415 for another content type, 413 for more than `maxBytes`, 400 for
 *   what is not JSON
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  // Also what keeps other sites' pages out: a browser asks before it sends this type elsewhere.
  const type = request.headers["content-type"]?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json") {
    throw new HttpFailure(
      415,
      `The content type is ${JSON.stringify(type ?? "")}; it must be "application/json".`,
    );
  }
  const bytes = await readBytes(request, maxBytes);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new HttpFailure(400, "The body is not UTF-8.", { code: "invalid_json", cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new HttpFailure(400, `The body is not JSON: ${reason}.`, { code: "invalid_json", cause });
  }
}

/** By events, because leaving `for await` early would close the connection before the answer. */
function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = new HttpFailure(
    413,
    `The body is larger than ${maxBytes} bytes: shorten it, or raise --max-body-bytes.`,
    { code: "body_too_large", headers: { connection: "close" } },
  );
  if (Number(request.headers["content-length"]) > maxBytes * droppedLimits) {
    return Promise.reject(tooLarge);
  }
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        if (size > maxBytes * droppedLimits) {
          request.pause();
          reject(tooLarge);
        }
      }
    });
    request.on("end", () => {
      if (size > maxBytes) reject(tooLarge);
      else resolve(Buffer.concat(chunks));
    });
    request.on("error", reject);
  });
}
