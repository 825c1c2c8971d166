import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve, type Served } from "./serve.js";

const key = "a-key-that-nobody-else-has-0123456789";
const text = "It is not down in any map; true places never are.";

let served: Served;
beforeAll(async () => {
  served = await serve({ workers: 1 }, { apiKey: key });
});
afterAll(() => served[Symbol.asyncDispose]());

interface Chunk {
  readonly object: string;
  readonly choices: readonly {
    readonly text?: string;
    readonly delta?: { readonly content?: string };
    readonly finish_reason: string | null;
  }[];
  readonly usage?: { readonly prompt_tokens?: number; readonly completion_tokens: number } | null;
}

const paths = { completions: "/v1/completions", chat: "/v1/chat/completions" } as const;

/**
 * Bodies as the tools make them, for 12 tokens, with the fields in their order.
 *
 * - vLLM's `vllm bench serve` (once `benchmark_serving.py`), vllm-project/vllm,
 *   vllm/benchmarks/lib/endpoint_request_func.py at 02cfb534: its two requests, with
 *   `--ignore-eos`; and with the sampling that its flags put into `extra_body`.
 * - GuideLLM, vllm-project/guidellm, src/guidellm/backends/openai/request_handlers.py at
 *   003104dd: `format()` of its handlers, streamed and not, with and without a length.
 * - AIPerf, ai-dynamo/aiperf, src/aiperf/endpoints/openai_chat.py at 00a8e858 and
 *   openai_completions.py at 08732248: `format_payload()`, with `--per-chunk-usage`, and
 *   with `--extra-inputs` as its guides have them.
 */
const bodies: [tool: string, endpoint: keyof typeof paths, body: object][] = [
  [
    "vLLM",
    "completions",
    {
      prompt: text,
      repetition_penalty: 1.0,
      max_tokens: 12,
      logprobs: null,
      stream: true,
      stream_options: { include_usage: true },
      ignore_eos: true,
    },
  ],
  [
    "vLLM with sampling",
    "completions",
    {
      prompt: text,
      repetition_penalty: 1.1,
      max_tokens: 12,
      logprobs: null,
      stream: true,
      stream_options: { include_usage: true },
      ignore_eos: true,
      top_p: 0.9,
      top_k: 20,
      min_p: 0.05,
      temperature: 0.7,
      frequency_penalty: 0.1,
      presence_penalty: 0.1,
    },
  ],
  [
    "vLLM",
    "chat",
    {
      messages: [{ role: "user", content: [{ type: "text", text }] }],
      max_completion_tokens: 12,
      stream: true,
      stream_options: { include_usage: true },
      ignore_eos: true,
      temperature: 0.0,
    },
  ],
  [
    "GuideLLM",
    "completions",
    {
      stream: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
      max_tokens: 12,
      stop: null,
      ignore_eos: true,
      prompt: text,
    },
  ],
  [
    "GuideLLM",
    "chat",
    {
      stream: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
      max_completion_tokens: 12,
      stop: null,
      ignore_eos: true,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: [{ type: "text", text }] },
        { role: "assistant", content: "True." },
        { role: "user", content: [{ type: "text", text: "Go on." }] },
      ],
    },
  ],
  ["GuideLLM, not streamed", "completions", { max_tokens: 12, prompt: text }],
  [
    "AIPerf",
    "completions",
    {
      prompt: [text],
      stream: true,
      max_tokens: 12,
      ignore_eos: true,
      min_tokens: 12,
      stream_options: { include_usage: true },
    },
  ],
  [
    "AIPerf",
    "chat",
    {
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: text },
      ],
      stream: true,
      max_completion_tokens: 12,
      ignore_eos: true,
      stream_options: { include_usage: true, continuous_usage_stats: true },
    },
  ],
  [
    "AIPerf, not streamed",
    "chat",
    {
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text },
            { type: "text", text: "Go on." },
          ],
        },
      ],
      stream: false,
      max_tokens: 12,
      min_tokens: 12,
      temperature: 0,
    },
  ],
];

describe("the bodies of load tools", () => {
  it.each(bodies)("%s's are taken: %s", async (_, endpoint, body) => {
    const response = await fetch(served.server.url + paths[endpoint], {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      body: JSON.stringify({ model: served.model, ...body }),
    });
    const answer = await response.text();
    expect([response.status, answer]).toEqual([200, expect.any(String)]);
    if (!("stream" in body) || body.stream !== true) {
      expect((JSON.parse(answer) as Chunk).usage?.completion_tokens).toBe(12);
      return;
    }
    const events = answer.split("\n\n").filter((event) => event !== "");
    expect(events.pop()).toBe("data: [DONE]");
    const chunks = events.map((event) => JSON.parse(event.slice("data: ".length)) as Chunk);
    // The tools take the first chunk with choices for the first token, and the last usage for all.
    expect(chunks[0]?.choices[0]?.text ?? chunks[0]?.choices[0]?.delta?.content).toMatch(/./s);
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("length");
    const usage = chunks.at(-1)?.usage;
    expect(chunks.at(-1)?.choices).toEqual([]);
    expect(usage?.completion_tokens).toBe(12);
    expect(usage?.prompt_tokens).toBeGreaterThan(0);
    const counts = chunks.slice(0, -2).map((chunk) => chunk.usage?.completion_tokens);
    const options = (body as { stream_options?: object }).stream_options ?? {};
    if ("continuous_usage_stats" in options) {
      expect(counts).toEqual(counts.toSorted((left = 0, right = 0) => left - right));
      expect(counts.at(-1)).toBeLessThanOrEqual(12);
    } else {
      expect(new Set(counts)).toEqual(new Set([undefined]));
    }
  });

  it("is preceded by what they ask first", async () => {
    for (const path of ["/health", "/v1/models", `/v1/models/${served.model}`]) {
      const response = await fetch(served.server.url + path, {
        headers: { authorization: `Bearer ${key}` },
      });
      expect(response.status).toBe(200);
    }
  });
});

describe("curl", async () => {
  const run = promisify(execFile);
  const version = await run("curl", ["--version"]).then(
    ({ stdout }) => stdout.split("\n", 1)[0],
    () => undefined,
  );

  it("streams, and is told what is wrong", async ({ skip }) => {
    skip(version === undefined, "curl is not installed");
    const ask = async (...flags: string[]): Promise<string> => {
      const json = ["-H", "content-type: application/json"];
      const { stdout } = await run("curl", ["-sN", "-w", "\n%{http_code}", ...json, ...flags]);
      return stdout;
    };
    const url = `${served.server.url}/v1/completions`;
    const body = JSON.stringify({ model: served.model, prompt: text, max_tokens: 5, stream: true });
    const authorization = ["-H", `authorization: Bearer ${key}`];
    expect(await ask(url, "-d", body, ...authorization)).toMatch(/data: \[DONE\]\n\n\n200$/);
    expect(await ask(url, "-d", body)).toMatch(/"invalid_api_key".*\n401$/s);
    expect(await ask(url, "-d", "{", ...authorization)).toMatch(/"invalid_json".*\n400$/s);
    const evil = await ask(url, "-d", body, "-H", "host: evil.example", ...authorization);
    expect(evil).toMatch(/"host_not_allowed".*\n403$/s);
    const http10 = await ask(url, "--http1.0", "-d", body, ...authorization);
    expect(http10).toMatch(/data: \[DONE\]\n\n\n200$/);
  });
});
