import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  createRuntime,
  embeddedModel,
  pacedModel,
  tuneModel,
  type ThreadSettings,
  type TuneProgress,
  type TuneReport,
} from "@streamgauge/runtime";
import { tuneCommand } from "@streamgauge/runtime/cli";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatTuneReport } from "../src/cli/tune.js";
import { bestOf, tuneSettings, type TuneRun } from "../src/tune/tune-settings.js";
import { usableCores } from "../src/threads/usable-cores.js";
import { temporaryFolder } from "./temporary-folder.js";

const one: ThreadSettings = { threads: 1, spinMicroseconds: 0 };
const two: ThreadSettings = { threads: 2, spinMicroseconds: 0 };
const spinning: ThreadSettings = { threads: 2, spinMicroseconds: 50 };
const all = [one, two, spinning];
const nameOf = ({ threads, spinMicroseconds }: ThreadSettings): string =>
  `${threads}/${spinMicroseconds}`;

describe("trying settings", () => {
  /** @param speedOf tokens per second of the run of a block, counted from 0 */
  async function trySettings(
    blocks: number,
    speedOf: (settings: ThreadSettings, block: number) => TuneRun,
    signal?: AbortSignal,
  ) {
    const log: string[] = [];
    const blocksOf = new Map<string, number>();
    let open = 0;
    const tuned = tuneSettings({
      settings: all,
      defaults: two,
      blocks,
      signal,
      onRun: (done, settings) => log.push(`${done}: ${nameOf(settings)}`),
      open: (settings) => {
        open += 1;
        expect(open).toBe(1);
        const block = blocksOf.get(nameOf(settings)) ?? 0;
        blocksOf.set(nameOf(settings), block + 1);
        let runs = 0;
        return Promise.resolve({
          run: () => {
            runs += 1;
            // The first run after loading is slow, and does not count.
            return Promise.resolve(runs === 1 ? { one: 1, many: 1 } : speedOf(settings, block));
          },
          close: () => {
            open -= 1;
            return Promise.resolve();
          },
        });
      },
    });
    return { tuned: await tuned, log };
  }

  it("takes turns, and gives the middle, the least and the most", async () => {
    const { tuned, log } = await trySettings(3, ({ threads, spinMicroseconds }, block) => ({
      one: 100 * threads + spinMicroseconds + 10 * block,
      many: 400 - 100 * threads,
    }));
    expect(log.slice(0, 6).map((line) => line.split(" ")[1])).toEqual([
      "1/0",
      "2/0",
      "2/50",
      "2/50",
      "2/0",
      "1/0",
    ]);
    expect(log[8]).toMatch(/^8: /);
    expect(tuned.map(({ isDefault }) => isDefault)).toEqual([false, true, false]);
    expect(tuned[2]?.one).toEqual({ tokensPerSecond: 260, least: 250, most: 270 });
    expect(tuned[0]?.many).toEqual({ tokensPerSecond: 300, least: 300, most: 300 });
    expect(bestOf(tuned, "one")).toMatchObject(spinning);
    expect(bestOf(tuned, "many")).toMatchObject(one);
  });

  it("takes the simplest of those that are as fast", async () => {
    const speeds = new Map([
      ["1/0", { one: 98.5, many: 97 }],
      ["2/0", { one: 99, many: 98.5 }],
      ["2/50", { one: 100, many: 100 }],
    ]);
    const none = { one: 0, many: 0 };
    const { tuned } = await trySettings(1, (settings) => speeds.get(nameOf(settings)) ?? none);
    for (const order of [tuned, tuned.toReversed()]) {
      expect(bestOf(order, "one")).toMatchObject(one);
      expect(bestOf(order, "many")).toMatchObject(two);
    }
  });

  it("begins each pair of blocks with another of them, and each runs once in a block", async () => {
    const { log } = await trySettings(6, () => ({ one: 1, many: 1 }));
    const names = log.map((line) => line.split(" ")[1]);
    const blocks = Array.from({ length: 6 }, (_, block) => names.slice(3 * block, 3 * block + 3));
    expect(new Set(blocks.map((block) => block.join())).size).toBe(6);
    for (const block of blocks) expect(new Set(block).size).toBe(3);
  });

  it("ends with the signal's reason, with nothing left open", async () => {
    const interrupt = new AbortController();
    const reason = new Error("enough");
    let runs = 0;
    const trial = trySettings(
      2,
      () => {
        runs += 1;
        if (runs === 2) interrupt.abort(reason);
        return { one: 1, many: 1 };
      },
      interrupt.signal,
    );
    await expect(trial).rejects.toBe(reason);
    expect(runs).toBe(2);
  });
});

describe("tuneModel", () => {
  let cache: string;

  beforeEach(async () => {
    cache = await temporaryFolder();
    vi.stubEnv("STREAMGAUGE_CACHE_DIR", cache);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  const little = { blocks: 1, streams: 2, contextTokens: 4, tokens: 3 };
  const littleFlags = ["--blocks", "1", "--streams", "2", "--context", "4", "--tokens", "3"];

  it("tries the embedded model, says what is best, and writes nothing", async () => {
    vi.stubEnv("STREAMGAUGE_TUNING", undefined);
    const seen: TuneProgress[] = [];
    const report = await tuneModel({ ...little, onProgress: (progress) => seen.push(progress) });
    const { settings, best, cores, description, savedFile } = report;
    expect(cores).toBe(usableCores());
    expect(settings[0]).toMatchObject(one);
    expect(Math.max(...settings.map(({ threads }) => threads))).toBe(cores);
    expect(settings.filter(({ isDefault }) => isDefault)).toHaveLength(1);
    for (const tuned of settings) {
      expect(tuned.one.tokensPerSecond).toBeGreaterThan(0);
      expect(tuned.many.tokensPerSecond).toBeGreaterThan(0);
    }
    expect(settings.map(nameOf)).toContain(nameOf(best.one));
    expect(settings.map(nameOf)).toContain(nameOf(best.many));
    expect(description).toMatchObject({ model: "pequod", workers: 1 });
    expect(seen.map(({ doneRuns }) => doneRuns)).toEqual([...settings.keys(), settings.length]);
    expect(savedFile).toBeUndefined();
    expect(await readdir(cache)).toEqual([]);
  });

  it("keeps the best where that was asked, and runtimes take it from then on", async () => {
    const report = await tuneModel({ ...little, save: "many" });
    expect(report.savedFile).toBeDefined();
    vi.stubEnv("STREAMGAUGE_TUNING", undefined);
    await using runtime = await createRuntime();
    expect(runtime.describe()).toMatchObject(report.best.many);
    expect(runtime.describe().reasons.threads).toMatch(/^found by `streamgauge tune`/);
  });

  it.each<[string, object, RegExp]>([
    ["no blocks", { blocks: 0 }, /blocks is 0; it must be an integer ≥ 1/],
    [
      "more than the context",
      { contextTokens: 1000, tokens: 100 },
      /context of 1024.*1000 and 100: give fewer/,
    ],
    ["threads, which it tries", { threads: 2 }, /Unknown option "threads"/],
    ["a model that is none", { model: 5 }, /model is 5/],
    [
      "the paced model",
      { model: pacedModel({ stepMicroseconds: 0 }) },
      /paced model has no threads to choose/,
    ],
    ["keeping something else", { save: "all" }, /save is "all"; it must be one of one, many/],
  ])("refuses %s", async (_, options, message) => {
    await expect(tuneModel(options)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(message) as string,
    });
  });

  it("says so where the result cannot be kept, before anything runs", async () => {
    const onProgress = vi.fn<(progress: TuneProgress) => void>();
    for (const folder of ["config.json", join("config.json", "deeper")]) {
      vi.stubEnv("STREAMGAUGE_CACHE_DIR", join(embeddedModel, folder));
      await expect(tuneModel({ ...little, save: "one", onProgress })).rejects.toMatchObject({
        code: "CACHE_FAILED",
        message: expect.stringMatching(/cannot be kept in .*STREAMGAUGE_CACHE_DIR/s) as string,
      });
    }
    expect(onProgress).not.toHaveBeenCalled();
  });

  describe("as a command", () => {
    function capture(): { out: () => string; errors: () => string } {
      let [out, errors] = ["", ""];
      vi.spyOn(process.stdout, "write").mockImplementation((text) => {
        out += String(text);
        return true;
      });
      vi.spyOn(process.stderr, "write").mockImplementation((text) => {
        errors += String(text);
        return true;
      });
      return { out: () => out, errors: () => errors };
    }

    it("prints a table, with the runs as they go", async () => {
      const { out, errors } = capture();
      await tuneCommand().parseAsync(littleFlags, { from: "user" });
      expect(out()).toMatch(
        /^pequod: fp32, 1 worker, \d+ cores?; tokens\/s behind 4 ids, 3 tokens/,
      );
      expect(out()).toMatch(
        /\n {2}threads {2}spinning {2}one stream +2 streams\n {2}1 +– +[\d.]+ \(/,
      );
      expect(out()).toMatch(/\nbest for one stream: /);
      expect(out()).toMatch(/\nbest for 2 streams: /);
      expect(out()).toMatch(/\nNothing was written\. --save keeps/);
      expect(errors()).toMatch(/^1\/\d+ {2}1 thread\n/);
      expect(process.exitCode).toBeUndefined();
    });

    it("prints JSON, and what was kept", async () => {
      const { out } = capture();
      await tuneCommand().parseAsync([...littleFlags, "--json", "--save"], { from: "user" });
      const report = JSON.parse(out()) as TuneReport;
      expect(report).toMatchObject({ blocks: 1, streams: 2, contextTokens: 4, tokens: 3 });
      expect(report.savedFile?.startsWith(cache)).toBe(true);
    });

    it("stops at Ctrl-C, and keeps nothing", async () => {
      const listeners = process.listenerCount("SIGINT");
      const { out, errors } = capture();
      const running = tuneCommand().parseAsync([...littleFlags, "--save", "--blocks", "50"], {
        from: "user",
      });
      await vi.waitFor(() => expect(errors()).toMatch(/^2\//m), { timeout: 60_000 });
      process.emit("SIGINT", "SIGINT");
      await running;
      expect(errors()).toMatch(/\nInterrupted\. Nothing was written\.\n$/);
      expect(out()).toBe("");
      expect(process.exitCode).toBe(130);
      expect(process.listenerCount("SIGINT")).toBe(listeners);
      expect(await readdir(cache)).toEqual([]);
    });

    it("explains itself", () => {
      let text = "";
      const command = tuneCommand().configureOutput({
        writeOut: (part) => {
          text += part;
        },
      });
      command.outputHelp();
      for (const part of [
        "--save [streams]",
        "--json",
        "--blocks",
        "Nothing\nis written",
        "Examples",
      ]) {
        expect(text).toContain(part);
      }
    });

    it("compares with the default", async () => {
      const report = await tuneModel(little);
      const speed = (tokensPerSecond: number) => ({
        tokensPerSecond,
        least: tokensPerSecond - 1,
        most: tokensPerSecond + 1,
      });
      const settings = [
        { ...one, isDefault: true, one: speed(50), many: speed(400) },
        { ...two, isDefault: false, one: speed(75), many: speed(300) },
      ];
      const best = { one: two, many: one };
      const text = formatTuneReport({ ...report, settings, best, savedFile: "/cache/a.json" });
      expect(text).toMatch(
        /\n {2}1 {8}– {9}50\.0 \(49\.0 to 51\.0\) {2}400 \(399 to 401\) {2}default\n/,
      );
      expect(text).toContain(
        "\nbest for one stream: 2 threads that do not spin, 1.50 times the default\n" +
          "best for 2 streams: 1 thread, the default\n",
      );
      expect(text).toMatch(/\nKept in \/cache\/a\.json\.$/);
    });
  });
});
