/** The process of `chat-server.ts`: it speaks chat completions from known tokens. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { chunkEvent, endEvents, startEvent } from "./chat-chunks.js";
import type { FromChatServer, ToChatServer } from "./chat-server.js";

let events: readonly string[] = [];
let stepMilliseconds = 0;
let made: number[] = [];

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = "";
  for await (const piece of request.setEncoding("utf8")) body += piece as string;
  const { max_tokens: tokens } = JSON.parse(body) as { readonly max_tokens: number };
  response.socket?.setNoDelay(true);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(startEvent);
  made = [];
  for (let index = 0; index < tokens && !response.destroyed; index += 1) {
    // Each token takes a turn of its own and occupies its thread, as those of the paced model do.
    await nextTurn();
    const due = performance.now() + stepMilliseconds;
    while (performance.now() < due);
    made.push(Number(process.hrtime.bigint()));
    if (!response.write(events[index % events.length])) {
      await Promise.race([once(response, "drain"), once(response, "close")]);
    }
  }
  response.end(endEvents);
}

async function obey(message: ToChatServer): Promise<FromChatServer> {
  if (message.type === "made") return { type: "made", nanoseconds: made };
  events = message.texts.map(chunkEvent);
  stepMilliseconds = message.stepMicroseconds / 1000;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { type: "listening", port: (server.address() as AddressInfo).port };
}

process.on("message", (message: ToChatServer) => {
  void obey(message).then((said) => process.send?.(said));
});
// Whoever started it is gone.
process.on("disconnect", () => process.exit());
