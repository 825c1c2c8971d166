import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createOpenAIGenerator, type OpenAIGenerator } from "@streamgauge/bench/adapters";
import { fetchOverSockets } from "../src/adapters/socket-fetch.js";
import { errorKind } from "../src/load/error-kind.js";
import { answering } from "./known-servers.js";
import { dialects } from "./openai-dialects.js";
import {
  closeServers,
  delta,
  done,
  json,
  role,
  serve,
  stream,
  usage,
  type Script,
} from "./scripted-openai.js";

function generatorAt(
  baseURL: string,
  fetch: typeof globalThis.fetch | undefined,
  endpoint: "chat" | "completions" = "chat",
): OpenAIGenerator {
  return createOpenAIGenerator({ baseURL, model: "whale", endpoint, apiKey: "sk-1234", fetch });
}

/** What is delivered of a streamed answer, and what becomes of it; times are left out. */
async function outcomeOf(generator: OpenAIGenerator, signal?: AbortSignal): Promise<unknown> {
  const delivered: string[] = [];
  const config = { maxTokens: 4, ...(signal !== undefined && { signal }) };
  try {
    const { timings: _timings, ...result } = await generator.generateStream(
      "Hello",
      (token) => void delivered.push(token.text),
      config,
    );
    return { delivered, result };
  } catch (error) {
    const { code, message } = error as { readonly code: string; readonly message: string };
    return { delivered, code, message };
  }
}

const broken: Script = (response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(role + delta({ content: "a" }));
  setImmediate(() => response.destroy());
};

const compressed: Script = (response) => {
  const headers = { "content-type": "text/event-stream", "content-encoding": "gzip" };
  response.writeHead(200, headers);
  response.end(
    gzipSync(role + delta({ content: "zipped" }) + delta({}, "stop") + usage(3, 1) + done),
  );
};

const redirected: Script = (response, seen) => {
  if (seen.url === "/elsewhere") return answering(response, seen);
  response.writeHead(307, { location: "/elsewhere" }).end();
};

describe("a request over sockets", () => {
  it.each(dialects)("reads $name as fetch does", async ({ body, endpoint = "chat" }) => {
    const { baseURL } = await serve(stream(body));
    const outcome = await outcomeOf(generatorAt(baseURL, fetchOverSockets, endpoint));
    expect(outcome).toEqual(await outcomeOf(generatorAt(baseURL, undefined, endpoint)));
  });

  it.each<[string, Script, RegExp]>([
    ["a redirect", redirected, /"delivered":\["a","b"\]/],
    ["a compressed answer", compressed, /"delivered":\["zipped"\]/],
    ["an error", json({ error: { message: "no such model" } }, 404), /404.*no such model/],
    ["an error in plain words", json("out of order", 503), /503.*out of order/],
    ["JSON for a stream", json({ error: { message: "not today" } }), /not today/],
    ["a status without a body", (response) => void response.writeHead(204).end(), /content-type/],
    ["a status of its own", (response) => void response.writeHead(999).end("{}"), /999/],
  ])("reads %s as fetch does", async (_, script, expected) => {
    const { baseURL } = await serve(script);
    const outcome = await outcomeOf(generatorAt(baseURL, fetchOverSockets));
    expect(JSON.stringify(outcome)).toMatch(expected);
    expect(outcome).toEqual(await outcomeOf(generatorAt(baseURL, undefined)));
  });

  it("sends what fetch sends", async () => {
    const { baseURL, requests } = await serve(answering);
    await outcomeOf(generatorAt(baseURL, fetchOverSockets));
    await outcomeOf(generatorAt(baseURL, undefined));
    const [here, there] = requests;
    const { seed: _seed, ...body } = here?.body ?? {};
    expect(there?.body).toMatchObject(body);
    const names = ["authorization", "content-type", "content-length", "accept", "user-agent"];
    for (const name of names) expect(here?.headers[name]).toBe(there?.headers[name]);
  });

  it("keeps the text before a connection breaks off, and names what the system says", async () => {
    const { baseURL } = await serve(broken);
    const failed = generatorAt(baseURL, fetchOverSockets).generateStream("x", () => undefined);
    await expect(failed).rejects.toMatchObject({ code: "ENGINE_FAILED", partial: { text: "a" } });
    expect(errorKind(await failed.catch((error: unknown) => error))).toBe("ECONNRESET");
    await closeServers();
    const refused = generatorAt(baseURL, fetchOverSockets).generateStream("x", () => undefined);
    await expect(refused).rejects.toThrow(/could not be reached/);
    expect(errorKind(await refused.catch((error: unknown) => error))).toBe("ECONNREFUSED");
  });

  it("closes the request after an abort, before the answer and within it", async () => {
    for (const beginning of [undefined, role + delta({ content: "a" })]) {
      const controller = new AbortController();
      let closed: Promise<unknown> | undefined;
      const { baseURL } = await serve(async (response, seen) => {
        closed = seen.closed;
        if (beginning !== undefined) {
          response.writeHead(200, { "content-type": "text/event-stream" });
          response.write(beginning);
        }
        controller.abort();
        await seen.closed;
      });
      const generator = generatorAt(baseURL, fetchOverSockets);
      expect(await outcomeOf(generator, controller.signal)).toMatchObject({
        result: { finishReason: "aborted" },
      });
      await closed;
    }
  });

  it("leaves a connection that the next request uses again", async () => {
    const ports = new Set<number | undefined>();
    const { baseURL } = await serve((response, seen) => {
      ports.add(response.socket?.remotePort);
      return answering(response, seen);
    });
    const generator = generatorAt(baseURL, fetchOverSockets);
    for (let request = 0; request < 8; request += 1) await outcomeOf(generator);
    expect(ports.size).toBeLessThan(8);
  });
});
