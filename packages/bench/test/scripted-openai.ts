// A real HTTP server that answers as an OpenAI-compatible one, by a script.
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach } from "vitest";
import {
  createOpenAIGenerator,
  type OpenAIGenerator,
  type OpenAIOptions,
} from "@streamgauge/bench/adapters";

export interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
  /** Settles when the connection of a response that was not ended is closed. */
  readonly closed: Promise<unknown>;
}

export type Script = (response: ServerResponse, seen: Seen) => Promise<void> | void;

const cleanUps: (() => Promise<void>)[] = [];
afterEach(closeServers);

/** Ends the servers that a test has started; done after each one by itself. */
export async function closeServers(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
}

/** A real server on a free port, that answers what the script says. */
export async function serve(script: Script): Promise<{ baseURL: string; requests: Seen[] }> {
  const requests: Seen[] = [];
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      let text = "";
      for await (const piece of request.setEncoding("utf8")) text += piece as string;
      const seen: Seen = {
        url: request.url ?? "",
        headers: request.headers,
        body: JSON.parse(text) as Record<string, unknown>,
        closed: once(response, "close"),
      };
      requests.push(seen);
      await script(response, seen);
    };
    answer().catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUps.push(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return { baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, requests };
}

export async function generatorOver(
  script: Script,
  options: Partial<OpenAIOptions> = {},
): Promise<{ generator: OpenAIGenerator; requests: Seen[] }> {
  const { baseURL, requests } = await serve(script);
  const generator = createOpenAIGenerator({
    baseURL,
    model: "whale",
    endpoint: "chat",
    ...options,
  });
  return { generator, requests };
}

export const event = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;
export const delta = (content: Record<string, unknown>, finish: string | null = null): string =>
  event({ choices: [{ index: 0, delta: content, finish_reason: finish }], usage: null });
export const role = delta({ role: "assistant", content: "" });
export const usage = (prompt: number, completion: number): string =>
  event({ choices: [], usage: { prompt_tokens: prompt, completion_tokens: completion } });
export const done = "data: [DONE]\n\n";

export function stream(...parts: readonly string[]): Script {
  return (response) => {
    response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
    response.end(parts.join(""));
  };
}

export function json(body: unknown, status = 200): Script {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}
