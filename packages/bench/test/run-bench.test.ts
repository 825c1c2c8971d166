import { copyFileSync, existsSync } from "node:fs";
import { readFile, readdir, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { StreamgaugeError } from "@streamgauge/core";
import type { BenchProgress } from "../src/run/progress.js";
import { deriveBlock } from "../src/conclude/derivation.js";
import { readRawSamples } from "../src/measure/raw-samples.js";
import { readRecordFile } from "../src/run/read-record.js";
import { defaultOutputFolder, sha256 } from "../src/run/record-file.js";
import { parseRecord, type ResultRecord } from "../src/record/index.js";
import type { BenchOptions } from "../src/run/bench-options.js";
import { runBench } from "../src/run/run-bench.js";
import { verifyRecord } from "../src/run/verify.js";
import { inTemporaryFolder } from "./example-record.js";
import { createFakeGenerator, ManualClock, type FakeOptions } from "./fake-generator.js";
import { cellPlan, presetOf, stageOfCells } from "./plans.js";

const cells = [cellPlan({ id: "first" }), cellPlan({ id: "second", tokens: 20 })];

interface Outcome {
  readonly record: ResultRecord;
  readonly saved: ResultRecord;
  readonly files: string[];
}

async function bench(options: BenchOptions, fake: Partial<FakeOptions> = {}): Promise<Outcome> {
  const clock = new ManualClock();
  return await inTemporaryFolder(async (outputFolder) => {
    const { record, path } = await runBench({
      preset: presetOf(...cells),
      seed: 1,
      outputFolder,
      clock,
      openGenerator: () =>
        Promise.resolve(createFakeGenerator({ clock, tokenNanoseconds: () => 100_000, ...fake })),
      ...options,
    });
    const saved = await readRecordFile(path);
    const files = await readdir(outputFolder, { recursive: true });
    return { record, saved, files: files.toSorted() };
  });
}

function openNothing(): Promise<never> {
  return Promise.reject(new StreamgaugeError("MODEL_NOT_FOUND", "No model there."));
}

describe("runBench", () => {
  it("writes the record that it returns, the raw samples, and nothing else", async () => {
    const { record, saved, files } = await bench({});
    expect(saved).toEqual(record);
    expect(files).toEqual([
      "raw",
      join("raw", "first.bin.gz"),
      join("raw", "second.bin.gz"),
      "record.json",
    ]);
    expect(record).toMatchObject({ status: "complete", seed: 1, profile: "test" });
    expect(record.cells.map(({ id, blocks }) => [id, blocks.length])).toEqual([
      ["first", 8],
      ["second", 8],
    ]);
    expect(record.claims.map(({ cell, verdict }) => [cell, verdict])).toEqual([
      // Two claims of all cells, and two of ten tokens.
      ...Array.from({ length: 4 }, () => ["first", "inconclusive"]),
      ["second", "inconclusive"],
      ["second", "inconclusive"],
    ]);
    expect(record.mainThread).toHaveLength(1);
    expect(record.generators[0]?.description).toEqual({ fake: true, closed: 0 });
  });

  it("measures the machine and itself", async () => {
    const { environment, instrument } = (await bench({})).record;
    expect(environment.nodeVersion).toBe(process.versions.node);
    expect(environment.packages["@streamgauge/core"]).toMatch(/^\d+\.\d+\.\d+/);
    expect(environment.loadAverageAfter).toHaveLength(3);
    expect(instrument.clock).toBe("manual");
  });

  it("keeps what is done when it is interrupted", async () => {
    const controller = new AbortController();
    const onProgress = ({ subject, phase, block }: BenchProgress): void => {
      if (subject === "second" && phase === "measure" && block === 3) controller.abort();
    };
    const { saved } = await bench({ signal: controller.signal, onProgress });
    expect(saved.status).toBe("interrupted");
    expect(saved.cells.map(({ status, blocks }) => [status, blocks.length])).toEqual([
      ["complete", 8],
      ["interrupted", 3],
    ]);
    expect(saved.claims.at(-1)).toMatchObject({ cell: "second", verdict: "inconclusive" });
    expect(saved.mainThread).toEqual([]);
  });

  it("resumes in one process too: whole cells stay, with what was measured beside them", async () => {
    await inTemporaryFolder(async (outputFolder) => {
      const controller = new AbortController();
      const first = await bench({
        outputFolder,
        signal: controller.signal,
        onProgress: ({ subject, phase, block }) => {
          if (subject === "second" && phase === "measure" && block === 3) controller.abort();
        },
      });
      const calls: string[] = [];
      const { saved } = await bench(
        { outputFolder: undefined, resume: outputFolder, seed: undefined },
        { onCall: (mode) => calls.push(mode) },
      );
      expect(saved).toMatchObject({ status: "complete", runId: first.record.runId, seed: 1 });
      expect(saved.cells.map(({ id, blocks }) => [id, blocks.length])).toEqual([
        ["first", 8],
        ["second", 8],
      ]);
      expect(saved.cells[0]).toEqual(first.saved.cells[0]);
      expect(saved.mainThread).toHaveLength(1);
      // The second cell only: 5 blocks to warm up, 8 to measure; and the main thread.
      expect(calls).toHaveLength((5 + 8) * 5 + 1);
      expect(
        (await verifyRecord(saved, (file) => readFile(join(outputFolder, file)))).outcome,
      ).toBe("agrees");
    });
  });

  it("resumes with the claims of the record, and refuses others", async () => {
    await inTemporaryFolder(async (outputFolder) => {
      const controller = new AbortController();
      const own = [
        { id: "own", metric: "overhead", treatment: "stream", limit: 0.2, of: {} },
      ] as const;
      await bench({
        outputFolder,
        claims: own,
        signal: controller.signal,
        onProgress: ({ subject }) => {
          if (subject === "second") controller.abort();
        },
      });
      const resume = { outputFolder: undefined, resume: outputFolder, seed: undefined };
      await expect(bench({ ...resume, claims: [{ ...own[0], limit: 0.3 }] })).rejects.toMatchObject(
        { code: "INVALID_OPTION", message: expect.stringContaining("judged by other claims") },
      );
      const { saved } = await bench(resume);
      expect(saved.claimList).toMatchObject({ source: "program", file: null, claims: own });
      expect(saved.claims.map(({ id, cell }) => [id, cell])).toEqual([
        ["own", "first"],
        ["own", "second"],
      ]);
      expect(saved.plan.added).toHaveLength(1);
      const read = (file: string) => readFile(join(outputFolder, file));
      expect(await verifyRecord(saved, read)).toMatchObject({ outcome: "agrees", notes: [] });
    });
  });

  it("saves as blocks end, when two seconds have gone by", async () => {
    const clock = new ManualClock();
    await inTemporaryFolder(async (outputFolder) => {
      const seen: number[] = [];
      const readNow = async (): Promise<void> => {
        const text = await readFile(join(outputFolder, "record.json"), "utf8").catch(() => "");
        if (text === "") return;
        // Of a cell that runs there are no raw samples, and its blocks are in the file.
        const record = parseRecord(JSON.parse(text));
        expect(record.status).toBe("running");
        seen.push(record.cells[0]?.blocks.length ?? 0);
      };
      const fake = createFakeGenerator({ clock, tokenNanoseconds: () => 1e8 });
      await runBench({
        preset: presetOf(cellPlan({ blocks: 6 })),
        outputFolder,
        clock,
        openGenerator: () =>
          Promise.resolve({
            ...fake,
            generate: async (...call) => {
              await readNow();
              return await fake.generate(...call);
            },
          }),
      });
      expect(new Set(seen)).toEqual(new Set([1, 2, 3, 4, 5]));
    });
  });

  it("puts the raw samples of a cell beside the record when the cell ends", async () => {
    await inTemporaryFolder(async (outputFolder) => {
      const seen: [string, boolean][] = [];
      let running: Promise<ResultRecord> | undefined;
      await bench({
        outputFolder,
        onProgress: ({ subject, phase, block }) => {
          if (phase !== "measure" || block !== 8) return;
          seen.push([subject, existsSync(join(outputFolder, "raw", `${subject}.bin.gz`))]);
          const copy = join(outputFolder, "copy.json");
          copyFileSync(join(outputFolder, "record.json"), copy);
          running = readRecordFile(copy);
        },
      });
      expect(seen).toEqual([
        ["first", false],
        ["second", false],
      ]);
      const record = await readRecordFile(join(outputFolder, "record.json"));
      for (const { id, blocks, rawSamples, ...shape } of record.cells) {
        const bytes = await readFile(join(outputFolder, rawSamples?.file ?? ""));
        expect(rawSamples).toMatchObject({ byteLength: bytes.length, sha256: sha256(bytes) });
        const raw = await readRawSamples(bytes);
        expect(raw).toMatchObject({ runId: record.runId, cell: id });
        expect(raw.blocks.map((block, index) => deriveBlock(block, index, shape))).toEqual(blocks);
      }
      // A crash at that moment would have left the samples of the first cell.
      const left = await verifyRecord((await running)!, (file) =>
        readFile(join(outputFolder, file)),
      );
      expect(left.outcome).toBe("agrees");
      expect(left.cells.map(({ cell, blocks }) => [cell, blocks])).toEqual([["first", "agrees"]]);
    });
  });

  it("lets no name of a cell leave the folder", async () => {
    const { record, files } = await bench({ preset: presetOf(cellPlan({ id: "../x/y" })) });
    expect(record.cells[0]?.rawSamples?.file).toBe("raw/..%2Fx%2Fy.bin.gz");
    expect(files).toContain(join("raw", "..%2Fx%2Fy.bin.gz"));
  });

  it("has no raw samples of a cell without a block", async () => {
    const { record, files } = await bench({}, { idAt: (mode, index) => mode.length + index });
    expect(record.cells.map(({ status, rawSamples }) => [status, rawSamples])).toEqual([
      ["failed", null],
      ["failed", null],
    ]);
    expect(files).toEqual(["record.json"]);
  });

  it("goes on with the other cells when one fails", async () => {
    const { record } = await bench(
      {},
      {
        idAt: (mode, index) => (mode === "stream" && index === 15 ? 1 : index),
      },
    );
    expect(record.status).toBe("complete");
    expect(record.cells.map(({ status }) => status)).toEqual(["complete", "failed"]);
    expect(record.claims.map(({ verdict }) => verdict)).toEqual([
      ...Array.from({ length: 4 }, () => "inconclusive"),
      "void",
      "void",
    ]);
  });

  it("goes on with the others when a measurement fails", async () => {
    const failing = {
      id: "failing",
      expectedSeconds: 1,
      measure: () => Promise.reject(new StreamgaugeError("ENGINE_FAILED", "It failed.")),
    };
    const stage = stageOfCells(cellPlan());
    const measurements = [failing, ...stage.measurements];
    const { record } = await bench({
      preset: {
        ...presetOf(),
        scenarios: [{ name: "x", description: "", stages: () => [{ ...stage, measurements }] }],
      },
    });
    expect(record.status).toBe("complete");
    expect(record.failedMeasurements).toEqual([
      { id: "fake failing", code: "ENGINE_FAILED", message: "It failed." },
    ]);
    expect(record.mainThread).toHaveLength(1);
  });

  it("reports a generator that cannot be made", async () => {
    await expect(bench({ openGenerator: openNothing })).rejects.toThrow("No model there.");
  });

  it("estimates the time left from the time spent", async () => {
    const seen: BenchProgress[] = [];
    await bench({ onProgress: (progress) => void seen.push(progress) });
    const fractions = seen.map(({ fractionDone }) => fractionDone);
    expect(fractions).toEqual(fractions.toSorted((first, second) => first - second));
    expect(seen[0]?.secondsLeft).toBeUndefined();
    expect(seen.at(-1)?.secondsLeft).toBeGreaterThan(0);
  });

  it.each([
    [{ preset: "slow" }, /no preset "slow".*quick/],
    [{ preset: "one-process", scenarios: ["x"] }, /no scenario "x".*paced.*main-thread/],
    [{ preset: "one-process", tokens: [11] }, /has 11 tokens.*10, 50, 100, 1000/],
    [
      { preset: "one-process", scenarios: ["paced"], tokens: [10] },
      /has 10 tokens. There are cells of 100/,
    ],
    [{ blocks: 0 }, /must be an integer ≥ 1/],
    [{ seed: 1.5 }, /seed is 1.5/],
  ])("refuses %j", async (options: BenchOptions, message) => {
    await expect(bench(options)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(message) as string,
    });
  });
});

describe("defaultOutputFolder", () => {
  it("is in the workspace around the folder, or in the folder", async () => {
    await inTemporaryFolder(async (root) => {
      const inside = join(root, "packages", "bench");
      await mkdir(inside, { recursive: true });
      expect(defaultOutputFolder("id", inside)).toBe(join(inside, "results", "local", "id"));
      await writeFile(join(root, "pnpm-workspace.yaml"), "");
      expect(defaultOutputFolder("id", inside)).toBe(join(root, "results", "local", "id"));
    });
  });
});
