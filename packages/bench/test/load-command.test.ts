import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadOptionsOf, type LoadFlags } from "../src/commands/load-flags.js";
import { inTemporaryFolder } from "./example-record.js";
import { delta, done, role, serve, usage } from "./scripted-openai.js";
import { streamgauge } from "./streamgauge.js";

const url = "http://127.0.0.1:9/v1";
const server = { url, model: "whale" } as const;

describe("the flags of a load", () => {
  it("say what is offered and asked", async () => {
    expect(await loadOptionsOf([], { ...server, chat: true, rate: "10,20.5" })).toMatchObject({
      target: { kind: "endpoint", url, host: "127.0.0.1:9", model: "whale", api: "chat" },
      offer: { kind: "rates", perSecond: [10, 20.5], seconds: 30 },
      mix: { source: "filler", outputTokens: { kind: "fixed", count: 64 }, ignoreEos: false },
      objective: null,
    });
    expect(
      await loadOptionsOf([], {
        ...server,
        findRate: true,
        slo: "ttft=500ms",
        good: 0.95,
        seconds: 60,
        ignoreEos: true,
        outputTokens: "5-9",
      }),
    ).toMatchObject({
      offer: { kind: "find", startPerSecond: 1, seconds: 60 },
      mix: { outputTokens: { kind: "uniform", lowest: 5, highest: 9 }, ignoreEos: true },
      objective: { limits: { timeToFirstToken: 500e6 }, share: 0.95 },
    });
    expect(await loadOptionsOf([], { ...server, ramp: "1,9,9", seconds: 5 })).toMatchObject({
      offer: { kind: "ramp", perSecond: [1, 9, 9], seconds: 5 },
    });
  });

  it("mean a flag where a file says another length", async () => {
    await inTemporaryFolder(async (folder) => {
      const prompts = join(folder, "prompts.jsonl");
      await writeFile(prompts, '{"prompt":"a","output_tokens":9}\n');
      const flags = { ...server, rate: "1", prompts };
      expect((await loadOptionsOf([], flags)).mix).toMatchObject({
        source: "list",
        list: [{ prompt: "a", outputTokens: 9 }],
      });
      expect((await loadOptionsOf([], { ...flags, outputTokens: "3" })).mix.list).toEqual([
        { prompt: "a" },
      ]);
      const trace = join(folder, "trace.jsonl");
      await writeFile(trace, '{"timestamp":5,"input_length":3,"output_length":2}\n');
      expect(await loadOptionsOf([], { ...server, trace })).toMatchObject({
        offer: { kind: "trace", dueNanoseconds: [0] },
        mix: { source: "trace", list: [{ inputTokens: 3, outputTokens: 2 }] },
      });
    });
  });

  it.each<[readonly string[], LoadFlags, RegExp]>([
    [[], { ...server }, /Nothing says what to offer/],
    [[], { ...server, rate: "1", ramp: "1,2" }, /give one of them/],
    [[], { ...server, rate: "fast" }, /--rate is "fast"/],
    [[], { ...server, rate: "10,,20" }, /--rate is "10,,20"/],
    [[], { ...server, rate: "-1" }, /--rate is "-1"/],
    [[], { ...server, rate: "Infinity" }, /--rate is "Infinity"/],
    [[], { ...server, ramp: "1,x" }, /--ramp is "1,x"/],
    [[], { ...server, findRate: true }, /--find-rate needs --slo/],
    [[], { ...server, findRate: true, slo: "ttft=1s", ramp: "1,2" }, /leave out --ramp/],
    [[], { ...server, findRate: true, slo: "ttft=1s", rate: "1,2" }, /give one/],
    [[], { ...server, rate: "1", slo: "fast" }, /"fast" is no limit/],
    [[], { ...server, rate: "1", good: 0.9 }, /--good needs --slo/],
    [[], { ...server, rate: "1", precision: 0.1 }, /--precision needs --find-rate/],
    [[], { ...server, rate: "1", speed: 2 }, /--speed needs --trace/],
    [[], { ...server, trace: "t.jsonl", prompts: "p.txt" }, /A trace has arrivals/],
    [[], { ...server, trace: "nowhere.jsonl" }, /The trace cannot be read/],
    [[], { ...server, rate: "1", prompts: "nowhere.txt" }, /prompts cannot be read/],
    [[], { ...server, rate: "1", prompts: "p.txt", inputTokens: "5" }, /give one of them/],
    [[], { ...server, rate: "1", outputTokens: "none" }, /--output-tokens is "none"/],
    [[], { url, rate: "1" }, /needs --model/],
    [[], { rate: "1" }, /give --url, or one module/],
    [["a.js"], { ...server, rate: "1" }, /give --url, or one module/],
    [["a.js"], { model: "m", rate: "1" }, /give its --url too/],
    [[], { ...server, rate: "1", scenario: "s" }, /--url has none/],
    [[], { url: "ftp://host", model: "m", rate: "1" }, /no http or https address/],
  ])("are refused: %j %j", async (modules, flags, message) => {
    const refused = loadOptionsOf(modules, flags);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});

describe("streamgauge load", () => {
  it("explains its flags, with examples", async () => {
    const { code, stdout } = await streamgauge("load", "--help");
    expect(code).toBe(0);
    for (const part of [
      "--rate",
      "--ramp",
      "--trace",
      "--find-rate",
      "--slo",
      "$ streamgauge load",
    ]) {
      expect(stdout).toContain(part);
    }
  });

  it("says what is wrong in a line", async () => {
    const { code, stderr } = await streamgauge("load", "--url", url, "--model", "m", "--rate", "x");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^INVALID_OPTION: --rate is "x"/);
  });

  it("prints at most twelve lines, and its record verifies", async () => {
    const { baseURL } = await serve((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end(
        role + delta({ content: "a" }) + delta({ content: "b" }, "stop") + usage(4, 2) + done,
      );
    });
    await inTemporaryFolder(async (folder) => {
      const asked = ["--url", baseURL, "--model", "whale", "--chat", "--rate", "20,40"];
      const how = ["--seconds", "0.5", "--slo", "ttft=60s", "--seed", "3", "--out", folder];
      const { code, stdout } = await streamgauge("load", ...asked, ...how);
      expect(code).toBe(0);
      const lines = stdout.trim().split("\n");
      expect(lines.length).toBeLessThanOrEqual(12);
      expect(lines[0]).toContain("Load on whale at 127.0.0.1");
      expect(stdout).toContain("20/s");
      expect(stdout).toContain("no stage missed it");
      const verified = await streamgauge("verify", folder);
      expect(verified.stdout).toContain("agrees with its raw samples");
      expect(verified.code).toBe(0);
      const claims = await streamgauge("verify", folder, "--claims", "claims.json");
      expect(claims.stderr).toContain("has no claims: leave out --claims");
      const again = await streamgauge("load", ...asked, ...how, "--json");
      expect(JSON.parse(again.stdout)).toMatchObject({
        status: "complete",
        stages: [{ offer: "20 per second" }, { offer: "40 per second" }],
      });
    });
  });
});
