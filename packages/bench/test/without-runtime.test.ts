import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder } from "./example-record.js";
import { streamgaugeWithout } from "./streamgauge.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const toy = `
import { createGenerator, createTokenQueue } from "@streamgauge/core";
import { defineScenario } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
const timings = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };
const summary = { finishReason: "length", promptTokens: 1, timings };
export const toy = defineScenario({
  name: "toy",
  prompt: [1],
  tokens: [5],
  blocks: 8,
  open: () =>
    createGenerator({
      collect: ({ config: { maxTokens } }) => ({
        stop: () => undefined,
        finished: Promise.resolve({
          ...summary,
          ids: Array.from({ length: maxTokens }, (_, index) => index),
          text: "",
          logprobs: undefined,
          usage: { promptTokens: 1, completionTokens: maxTokens },
        }),
      }),
      stream: ({ config: { maxTokens } }) =>
        createTokenQueue(async (sink) => {
          for (let index = 0; index < maxTokens; index += 1) {
            sink.push({ index, id: index, text: "", endOfSequence: false });
          }
          return summary;
        }, Infinity).source,
    }),
});
`;

describe("without the runtime", () => {
  it("a generator of one's own is measured, from its module to verdicts", async () => {
    // Inside of this package, where core is found.
    const path = here(`toy-${process.pid}.bench.mjs`);
    await writeFile(path, toy);
    try {
      await inTemporaryFolder(async (folder) => {
        const limits = ["--limit", "stream=5%", "--limit", "streamAsync=40us"];
        const { code, stdout } = await streamgaugeWithout(
          "runtime",
          "bench",
          path,
          ...limits,
          "--verbose",
          "--out",
          folder,
        );
        expect(code).toBe(0);
        expect(stdout).toContain("TTFT p50");
        const record = JSON.parse(await readFile(join(folder, "record.json"), "utf8")) as {
          readonly claims: readonly { readonly id: string; readonly verdict: string }[];
          readonly environment: { readonly packages: Readonly<Record<string, string>> };
        };
        expect(record.claims.map(({ id }) => id)).toEqual([
          "stream-under-5-percent",
          "streamAsync-under-40-microseconds",
        ]);
      });
    } finally {
      await rm(path);
    }
  });

  it("the help has all commands", async () => {
    const { code, stdout } = await streamgaugeWithout("runtime", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("bench");
    expect(stdout).toMatch(/generate .*needs @streamgauge\/runtime/);
  });

  it.each([
    ["bench", "--scenario", "paced", "--blocks", "1"],
    ["bench", "--scenario", "model", "--profile", "standard"],
    ["bench", "--model", "15M", "--scenario", "model"],
    ["bench", "--scenario", "transports"],
    ["stress", "--tokens", "10"],
    ["drill", "--streams", "4", "--faults", "0"],
    ["soak", "--streams", "4"],
    ["generate", "Call me", "--max-tokens", "5"],
  ])("%s %s %s names the package and how to install it", async (...flags) => {
    await inTemporaryFolder(async (folder) => {
      const out = flags[0] === "bench" ? ["--out", folder] : [];
      const { code, stderr } = await streamgaugeWithout("runtime", ...flags, ...out);
      expect(code).toBe(1);
      expect(stderr).toContain("RUNTIME_MISSING: This needs @streamgauge/runtime");
      expect(stderr).toContain("npm install @streamgauge/runtime onnxruntime-node");
    });
  });
});
