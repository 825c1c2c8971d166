import { request } from "node:http";
import { pacedModel } from "@streamgauge/runtime";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rejection, serve, type Served } from "./serve.js";

const paced = pacedModel({ stepMicroseconds: 0 });
const key = "a-key-that-nobody-else-has-0123456789";

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** Unlike `fetch`, it sends whatever host and origin it is told. */
function ask(
  url: string,
  headers: Readonly<Record<string, string>>,
  method = "GET",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

function codeOf({ body }: Answer): unknown {
  return (JSON.parse(body) as { error: { code: unknown } }).error.code;
}

describe("the host that is asked for", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve(
      { model: paced },
      { allowedHosts: ["my-machine.example", "[2001:db8::7]", "10.1.2.3"] },
    );
  });
  afterAll(() => served[Symbol.asyncDispose]());

  it.each([
    "localhost",
    "LocalHost:8080",
    "127.0.0.1",
    "127.9.8.7:1",
    "[::1]:8080",
    "my-machine.example",
    "My-Machine.Example:443",
    "[2001:db8::7]:80",
    "10.1.2.3",
  ])("may be %s", async (host) => {
    expect(await ask(`${served.server.url}/health`, { host })).toMatchObject({ status: 200 });
  });

  it.each([
    "evil.example",
    "evil.example:8080",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.evil.example",
    "not-my-machine.example",
    "my-machine.example.evil.example",
    "user@localhost",
    "localhost/../x",
    "10.1.2.4",
    "[::2]",
    " ",
    "%",
  ])("may not be %j", async (host) => {
    for (const path of ["/", "/health", "/v1/models", "/metrics", "/nothing"]) {
      const answer = await ask(served.server.url + path, { host });
      expect(answer.status).toBe(403);
      expect(codeOf(answer)).toBe("host_not_allowed");
      expect(answer.body).toContain("--allow-host");
    }
  });

  it("may be the address that is listened at", async () => {
    await using own = await serve({ model: paced }, { host: "0.0.0.0" });
    const port = new URL(own.server.url).port;
    const host = `0.0.0.0:${port}`;
    expect(await ask(`http://127.0.0.1:${port}/health`, { host })).toMatchObject({ status: 200 });
    const other = await ask(`http://127.0.0.1:${port}/health`, { host: "evil.example" });
    expect(other.status).toBe(403);
  });
});

describe("the page that asks", () => {
  const app = "https://app.example";
  let served: Served;
  let host: string;
  beforeAll(async () => {
    served = await serve({ model: paced }, { allowedOrigins: [app], apiKey: key });
    host = new URL(served.server.url).host;
  });
  afterAll(() => served[Symbol.asyncDispose]());

  it("may be the server's own", async () => {
    const answer = await ask(`${served.server.url}/health`, { host, origin: `http://${host}` });
    expect(answer.status).toBe(200);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it.each(["https://evil.example", "null", "file://", "http://localhost:1", `${app}.evil`, ""])(
    "may not be %j",
    async (origin) => {
      for (const method of ["GET", "POST", "OPTIONS"]) {
        const headers = { host, origin, "access-control-request-method": "POST" };
        const answer = await ask(`${served.server.url}/v1/completions`, headers, method);
        expect(answer.status).toBe(403);
        expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
        expect(codeOf(answer)).toBe("origin_not_allowed");
      }
    },
  );

  it("may be one that was allowed, and reads every answer", async () => {
    const question = await ask(
      `${served.server.url}/v1/chat/completions`,
      {
        host,
        origin: app,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, x-stainless-lang",
      },
      "OPTIONS",
    );
    expect(question.status).toBe(204);
    expect(question.headers).toMatchObject({
      "access-control-allow-origin": app,
      "access-control-allow-headers": "authorization, content-type, x-stainless-lang",
      vary: "origin",
    });
    const authorization = `Bearer ${key}`;
    for (const [path, status] of [
      ["/v1/models", 200],
      ["/nothing", 404],
    ] as const) {
      const url = served.server.url + path;
      const answer = await ask(url, { host, origin: app, authorization });
      expect(answer.status).toBe(status);
      expect(answer.headers["access-control-allow-origin"]).toBe(app);
    }
    // It needs the key like anybody else.
    expect((await ask(`${served.server.url}/v1/models`, { host, origin: app })).status).toBe(401);
  });
});

describe("the API key", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ model: paced }, { apiKey: key });
  });
  afterAll(() => served[Symbol.asyncDispose]());

  it("lets OpenAI's client in", async () => {
    const client = new OpenAI({ baseURL: `${served.server.url}/v1`, apiKey: key, maxRetries: 0 });
    const { model } = served;
    const answer = await client.completions.create({ model, prompt: "go", max_tokens: 2 });
    expect(answer.choices[0]?.text).toBe(" 0 1");
    const error = await rejection(served.client.models.list());
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ code: "invalid_api_key" });
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Basic ${key}`,
    key,
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${key}0`,
    `Bearer ${key.toUpperCase()}`,
    `Bearer ${key} ${key}`,
  ])("is not %j", async (authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    for (const [path, method] of [
      ["/v1/models", "GET"],
      ["/v1/models/paced", "GET"],
      ["/metrics", "GET"],
      ["/v1/completions", "POST"],
      ["/v1/chat/completions", "POST"],
    ] as const) {
      const answer = await ask(served.server.url + path, headers, method);
      expect(answer.status).toBe(401);
      expect(answer.headers["www-authenticate"]).toBe("Bearer");
      // Neither the right one nor what was sent is said again.
      expect(answer.body.toLowerCase()).not.toContain(key.slice(0, 12));
    }
    expect(served.failures).toEqual([]);
  });

  it("is not needed for the page, and to see whether there is a server", async () => {
    for (const path of ["/", "/page.js", "/page.css", "/health"]) {
      expect((await ask(served.server.url + path, {})).status).toBe(200);
    }
  });
});
