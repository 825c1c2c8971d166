import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** An OpenAI-compatible server of a test's own. */
export interface EndpointServer {
  readonly url: string;
  /** The `authorization` of each request, in their order. */
  readonly asked: readonly (string | undefined)[];
  close(): Promise<void>;
}

/** Answers every chat with two tokens. */
export async function startEndpoint(): Promise<EndpointServer> {
  const asked: (string | undefined)[] = [];
  const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
  const delta = (content: object, finish: string | null = null): string =>
    event({ choices: [{ index: 0, delta: content, finish_reason: finish }], usage: null });
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      asked.push(request.headers.authorization);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        delta({ role: "assistant", content: "" }) +
          delta({ content: "a" }) +
          delta({ content: "b" }, "stop") +
          event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2 } }) +
          "data: [DONE]\n\n",
      );
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
