import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { readRecordFile } from "@streamgauge/bench/record-file";
import {
  runBench,
  verifyRecord,
  type EndpointOptions,
  type ResultRecord,
} from "@streamgauge/bench";
import { planEndpoint } from "../src/plan/endpoint-plan.js";
import { endpointScenario } from "../src/scenarios/endpoint.js";
import { inTemporaryFolder } from "./example-record.js";
import { counting, promptOf, speaking } from "./endpoint-servers.js";
import { closeServers, json, serve } from "./scripted-openai.js";

/** In this process alone, with few blocks: what a record says of it. */
async function measure(
  options: Omit<EndpointOptions, "model">,
  use: (record: ResultRecord, folder: string) => Promise<void> | void = () => undefined,
): Promise<ResultRecord> {
  const plan = planEndpoint({ model: "whale", chat: true, maxTokens: 16, ...options });
  return await inTemporaryFolder(async (outputFolder) => {
    const { record } = await runBench({
      preset: {
        name: "test",
        description: "",
        size: "standard",
        lookAtProcesses: [1],
        scenarios: [endpointScenario(plan)],
      },
      outputFolder,
      seed: 5,
      claims: [
        {
          id: "wide",
          metric: "overhead",
          treatment: "stream",
          limit: 100,
          of: { scenario: "endpoint" },
        },
      ],
    });
    await use(record, outputFolder);
    return record;
  });
}

function tokensMade({ cells }: ResultRecord): (number | undefined)[][] {
  return (cells[0]?.blocks ?? []).map(({ runs }) => runs.map(({ tokens }) => tokens));
}

describe("an endpoint", () => {
  it.each([
    ["llama.cpp", 3, 3],
    ["vLLM with continuous_usage_stats", 2, 2],
    // It counts nothing in a stream: its chunks are counted.
    ["Ollama, finish_reason is an empty string", 2, 2],
    ["OpenRouter", 6, 6],
  ])("is measured where it speaks as %s", async (name, whole, streamed) => {
    const { baseURL } = await serve(speaking(name, whole));
    const record = await measure({ url: baseURL }, async (saved, folder) => {
      const again = await verifyRecord(saved, (file) => readFile(join(folder, file)));
      expect(again.problems).toEqual([]);
    });
    expect(record.cells[0]).toMatchObject({ status: "complete", failure: null, engine: "http" });
    expect(record.cells[0]?.blocks).toHaveLength(8);
    expect(new Set(tokensMade(record).flat())).toEqual(new Set([whole, streamed]));
    expect(record.cells[0]?.analysis).not.toBeNull();
    expect(record.claims).toHaveLength(1);
    expect(record.generators[0]?.description).toMatchObject({ trial: { tokens: streamed } });
  });

  it("compares runs by the tokens that they made, one prompt in each block", async () => {
    const { baseURL, requests } = await serve(counting);
    const prompts = ["2", "6", "12"];
    const record = await measure({ url: baseURL, prompts });
    expect(tokensMade(record).map(([first, ...rest]) => [first, new Set(rest).size])).toEqual(
      [2, 6, 12, 2, 6, 12, 2, 6].map((tokens) => [tokens, 1]),
    );
    expect(record.cells[0]).toMatchObject({ tokens: 16, endsNaturally: true, prompts: 3 });
    const [block] = record.cells[0]?.blocks ?? [];
    const stream = block?.runs.find(({ treatment }) => treatment === "stream");
    // Two tokens in one chunk have no time between them.
    expect(stream?.timePerOutputTokenNanoseconds).toBeNull();
    expect(requests.every(({ body }) => !("ignore_eos" in body))).toBe(true);
    expect(new Set(requests.map(({ body }) => promptOf(body)))).toEqual(new Set(prompts));
  });

  it("is compared with another in the same blocks, without its key", async () => {
    vi.stubEnv("ENDPOINT_TEST_KEY", "geheim-1234");
    const first = await serve(counting);
    const second = await serve(counting);
    const record = await measure(
      {
        url: first.baseURL,
        keyEnv: "ENDPOINT_TEST_KEY",
        prompts: ["6"],
        against: { url: second.baseURL, model: "minnow" },
      },
      async (saved, folder) => {
        const read = (file: string) => readFile(join(folder, file));
        expect((await verifyRecord(saved, read)).problems).toEqual([]);
        const endpoints = saved.endpoints?.map((each) => ({ ...each, blocks: 9 }));
        expect(
          (await verifyRecord({ ...saved, ...(endpoints && { endpoints }) }, read)).problems,
        ).toEqual([expect.stringContaining("The endpoints: ")]);
        expect(await readFile(join(folder, "record.json"), "utf8")).not.toContain("geheim");
      },
    );
    expect(record.cells.map(({ id, against }) => [id, against])).toEqual([
      ["endpoint-whale", "against-minnow"],
      ["against-minnow", undefined],
    ]);
    expect(record.endpoints?.map(({ treatment, metric }) => `${treatment} ${metric}`)).toEqual([
      "generate endToEndPerToken",
      ...["stream", "streamAsync"].flatMap((mode) => [
        `${mode} timeToFirstToken`,
        `${mode} timePerOutputToken`,
        `${mode} endToEndPerToken`,
      ]),
    ]);
    for (const { blocks, ratio } of record.endpoints ?? []) {
      expect(blocks).toBe(8);
      expect(ratio?.hodgesLehmann.interval95.lower).toBeGreaterThan(0);
    }
    expect(new Set(first.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set(["Bearer geheim-1234"]),
    );
    expect(new Set(second.requests.map(({ headers }) => headers.authorization))).toEqual(
      new Set([undefined]),
    );
    expect(new Set(second.requests.map(({ body }) => body["model"]))).toEqual(new Set(["minnow"]));
  });

  it("without a token fails its cell, with the remedy", async () => {
    const { baseURL } = await serve(counting);
    const record = await measure({ url: baseURL, prompts: ["4", "0"] });
    expect(record.cells[0]).toMatchObject({
      status: "failed",
      failure: { code: "OUTPUT_MISMATCH", message: expect.stringMatching(/made no t.*prompt/) },
    });
    expect(record.cells[0]?.blocks).toHaveLength(1);
  });

  it("is measured in eight processes, and resumed without what was done", async () => {
    const { baseURL, requests } = await serve(counting);
    await inTemporaryFolder(async (outputFolder) => {
      const endpoint = { url: `${baseURL}?key=verborgen-77`, prompts: ["6"] };
      const interruption = new AbortController();
      const { record: half } = await runBench({
        endpoint: { ...endpoint, model: "whale", chat: true },
        blocks: 1,
        outputFolder,
        signal: interruption.signal,
        onProgress: ({ process }) => void (process?.index === 2 && interruption.abort()),
      });
      expect(half).toMatchObject({ status: "interrupted", profile: "endpoint" });
      expect(half.plan.endpoint).toMatchObject({
        host: new URL(baseURL).host,
        model: "whale",
        api: "chat",
      });
      const before = requests.length;

      await expect(runBench({ resume: outputFolder })).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringContaining("Give its --url again"),
      });
      const other = { ...endpoint, prompts: ["7"] };
      await expect(runBench({ resume: outputFolder, endpoint: other })).rejects.toThrow(/SHA-256/);

      const { record, path } = await runBench({ resume: outputFolder, endpoint });
      expect(record.status).toBe("complete");
      expect(record.cells[0]?.processes.map((part) => [part.process, part.blocks])).toEqual(
        [0, 1, 2, 3, 4, 5, 6, 7].map((process) => [process, 1]),
      );
      // A trial here, then in each process a trial and two blocks with a settling request.
      expect(requests.length - before).toBeLessThanOrEqual(2 + 6 * (2 + 2 * 5));
      expect(requests.every(({ url }) => url === "/v1/chat/completions?key=verborgen-77")).toBe(
        true,
      );
      expect(await readFile(path, "utf8")).not.toMatch(/verborgen|voyage/);
      expect((await readRecordFile(path)).cells).toEqual(record.cells);
    });
  });
});

describe("an endpoint that does not answer", () => {
  async function refusal(url: string, rest: Partial<EndpointOptions> = {}): Promise<unknown> {
    return await inTemporaryFolder((outputFolder) =>
      runBench({
        endpoint: { url, model: "whale", chat: true, ...rest },
        outputFolder: join(outputFolder, "run"),
      }).catch((error: unknown) => error),
    );
  }

  it.each([
    [
      "401",
      json({ error: { message: "Incorrect API key: geheim-1234" } }, 401),
      /401.*check the apiKey/,
    ],
    ["404", json({ error: { message: "no such model" } }, 404), /404.*no such model.*model's name/],
    ["HTML", json("<html><body>Welcome</body></html>"), /not JSON: "<html>.*OpenAI-compatible/],
    ["no count", json({ choices: [{ message: { content: "a" } }] }), /without usage/],
  ])("is a typed error before any block: %s", async (_, script, message) => {
    vi.stubEnv("ENDPOINT_TEST_KEY", "geheim-1234");
    const { baseURL } = await serve(script);
    const error = await refusal(baseURL, { keyEnv: "ENDPOINT_TEST_KEY" });
    expect(error).toMatchObject({ code: "ENDPOINT_FAILED" });
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain("--key-env");
    expect(String(error)).not.toContain("geheim");
  });

  it("is a typed error where nobody listens, without the secrets of its address", async () => {
    const { baseURL } = await serve(counting);
    await closeServers();
    const error = await refusal(`${baseURL.replace("//", "//me:passwort@")}?token=verborgen`);
    expect(error).toMatchObject({ code: "ENDPOINT_FAILED" });
    expect(String(error)).not.toMatch(/passwort|verborgen/);
  });

  it.each<[string, EndpointOptions, RegExp]>([
    ["no model", { url: "http://127.0.0.1:9/v1" }, /needs --model/],
    ["no address", { url: "127.0.0.1:9?key=verborgen", model: "m" }, /^[^v]*--url is no http/],
    ["one token", { url: "http://127.0.0.1:9/v1", model: "m", maxTokens: 1 }, /integer ≥ 2/],
    ["no prompts", { url: "http://127.0.0.1:9/v1", model: "m", prompts: [] }, /no prompt/],
    [
      "a key that is not set",
      { url: "http://127.0.0.1:9/v1", model: "m", keyEnv: "NOT_SET_1" },
      /NOT_SET_1.*is not set/,
    ],
  ])("is refused with %s", async (_, endpoint, message) => {
    await expect(runBench({ endpoint })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(message),
    });
  });

  it("is not mixed with what chooses scenarios", async () => {
    const endpoint = { url: "http://127.0.0.1:9/v1", model: "m" };
    await expect(runBench({ endpoint, preset: "quick", tokens: [10] })).rejects.toThrow(
      /leave out preset, tokens/,
    );
  });
});

describe("a file of prompts", () => {
  it("has a text or an object on each line", async () => {
    const { readPrompts } = await import("../src/commands/prompts-file.js");
    await inTemporaryFolder(async (folder) => {
      const path = (name: string): string => join(folder, name);
      await writeFile(path("a.txt"), "\uFEFFCall me\r\n\n{ not JSON\n");
      expect(await readPrompts(path("a.txt"))).toEqual(["Call me", "{ not JSON"]);
      const messages = [{ role: "user", content: "Hi" }];
      await writeFile(path("b.jsonl"), `{"prompt":"Call"}\n${JSON.stringify({ messages })}\n`);
      expect(await readPrompts(path("b.jsonl"))).toEqual(["Call", { messages }]);
      for (const [content, message] of [
        ["", /has no prompts/],
        ['{"prompt":"a"}\n{"prompt":1}', /b\.jsonl:2: .*one field/],
        ['{"prompt":"a","n":2}', /b\.jsonl:1: .*one field/],
        ["{", /b\.jsonl:1: .*JSON/],
        ['{"messages":[{"role":"user"}]}', /b\.jsonl:1: .*content/],
      ] as const) {
        await writeFile(path("b.jsonl"), content);
        await expect(readPrompts(path("b.jsonl"))).rejects.toMatchObject({
          code: "INVALID_OPTION",
          message: expect.stringMatching(message),
        });
      }
    });
  });
});
