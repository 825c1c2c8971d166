import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { parseLoadRecord, parseRecord, type LoadRecord } from "../src/record/index.js";
import { readRecordFile } from "../src/run/read-record.js";
import { sha256 } from "../src/run/record-file.js";
import { loadLines } from "../src/load/load-lines.js";
import { summarizeLoad } from "../src/load/load-summary.js";
import { planLoad } from "../src/load/load-plan.js";
import type { RequestMix } from "../src/load/request-mix.js";
import { LoadSamplesWriter, readLoadSamples } from "../src/load/load-samples.js";
import { readLoadRecord } from "../src/load/read-load.js";
import { runLoad, type LoadOptions } from "../src/load/run-load.js";
import type { LoadProgress } from "../src/load/step-offerer.js";
import { verifyLoad, type LoadVerification } from "../src/load/verify-load.js";
import { loadExitCode } from "../src/commands/load-command.js";
import { createDraw, type Draw } from "../src/statistics/draw.js";
import { inTemporaryFolder } from "./example-record.js";
import { answering } from "./known-servers.js";
import { json, serve, type Script } from "./scripted-openai.js";

const mix: RequestMix = {
  source: "filler",
  list: [],
  inputTokens: { kind: "fixed", count: 4 },
  outputTokens: { kind: "uniform", lowest: 2, highest: 6 },
  ignoreEos: false,
};

/** Runs a load over a real server into a folder. */
async function run<T>(
  options: Partial<LoadOptions>,
  use: (loaded: { record: LoadRecord; folder: string; asked: number }) => Promise<T> | T,
  script = answering,
): Promise<T> {
  const { baseURL, requests } = await serve(script);
  return await inTemporaryFolder(async (outputFolder) => {
    const { record, path } = await runLoad({
      target: {
        kind: "endpoint",
        url: baseURL,
        host: new URL(baseURL).host,
        model: "whale",
        api: "chat",
      },
      mix,
      offer: { kind: "rates", perSecond: [40, 80], seconds: 0.5 },
      seed: 7,
      outputFolder,
      pauseSeconds: 0,
      ...options,
    });
    expect(path).toBe(join(outputFolder, "record.json"));
    return await use({ record, folder: outputFolder, asked: requests.length });
  });
}

async function verify(record: LoadRecord, folder: string): Promise<LoadVerification> {
  return await verifyLoad(record, (file) => readFile(join(folder, file)));
}

const generous = { limits: { timeToFirstToken: 60e9 }, share: 0.99 };

describe("a run of a load", () => {
  it("keeps a record that verifies, and that other readers refuse by its name", async () => {
    const progress: LoadProgress[] = [];
    const options = { objective: generous, onProgress: (now: LoadProgress) => progress.push(now) };
    await run(options, async ({ record, folder, asked }) => {
      expect(record).toMatchObject({ status: "complete", seed: 7, foundRate: null });
      expect(record.steps.map(({ status, verdict }) => [status, verdict])).toEqual([
        ["complete", "met"],
        ["complete", "met"],
      ]);
      const arrived = record.steps.flatMap(({ stages }) => stages.map((stage) => stage.arrived));
      // The trial is one more.
      expect(asked).toBe(arrived.reduce((sum, each) => sum + each, 0) + 1);
      const stored: unknown = JSON.parse(await readFile(join(folder, "record.json"), "utf8"));
      expect(parseLoadRecord(stored)).toEqual(record);
      expect((await readLoadRecord(folder))?.record).toEqual(record);
      expect(await verify(record, folder)).toMatchObject({ outcome: "agrees", problems: [] });
      await expect(readRecordFile(folder)).rejects.toThrow(/not a streamgauge result record/);
      expect(() => parseRecord(stored)).toThrow(/"schema" is not/);
      expect(progress.at(-1)).toMatchObject({ inFlight: 0, fractionDone: 1 });
      // Histograms can have any letters.
      expect(JSON.stringify({ ...record, steps: [] })).not.toContain("/v1");
    });
  });

  it("offers the same twice", async () => {
    const offered = (record: LoadRecord): unknown =>
      record.steps.map(({ schedule, stages }) => [schedule, stages.map((stage) => stage.offered)]);
    const first = await run({}, ({ record }) => offered(record));
    expect(await run({}, ({ record }) => offered(record))).toEqual(first);
    expect(await run({ seed: 8 }, ({ record }) => offered(record))).not.toEqual(first);
  });

  it("replays a trace", async () => {
    const offer = { kind: "trace", dueNanoseconds: [0, 1e8, 1e8, 3e8] } as const;
    const list = [1, 2, 3, 4].map((count) => ({ inputTokens: count, outputTokens: 2 }));
    await run({ offer, mix: { ...mix, source: "trace", list } }, async ({ record, folder }) => {
      expect(record.steps[0]?.schedule).toMatchObject({ kind: "trace", arrivals: 4 });
      expect(record.requests).toMatchObject({ source: "trace", count: 4, inputTokens: null });
      expect(record.steps[0]?.stages[0]).toMatchObject({ arrived: 4, completed: 4, seconds: 0.3 });
      expect(await verify(record, folder)).toMatchObject({ outcome: "agrees", problems: [] });
    });
  });

  it("looks for a rate, step by step, and the search can be verified", async () => {
    const offer = { kind: "find", startPerSecond: 400, seconds: 0.25, precision: 1 } as const;
    // Answers at once up to so many a second, and none beyond.
    let now = 0;
    let inWindow = 0;
    const limited: Script = (response, seen) => {
      const second = Math.floor(performance.now() / 250);
      if (second !== now) [now, inWindow] = [second, 0];
      inWindow += 1;
      return inWindow > 20 ? json("{}", 503)(response, seen) : answering(response, seen);
    };
    const options = { offer, objective: generous, arrivals: "constant" as const };
    await run(
      options,
      async ({ record, folder }) => {
        // Which of the two is slow depends on the machine: what counts is that the rate follows.
        expect(record.foundRate).not.toBeNull();
        expect(record.steps[0]?.verdict).toBe("missed");
        expect(await verify(record, folder)).toMatchObject({
          outcome: "agrees",
          foundRate: "agrees",
          problems: [],
        });
        const claimed = { ...record.foundRate, metPerSecond: 5000 } as LoadRecord["foundRate"];
        expect(await verify({ ...record, foundRate: claimed }, folder)).toMatchObject({
          outcome: "differs",
          foundRate: "differs",
        });
      },
      limited,
    );
  });

  it("keeps what is done when it is interrupted", async () => {
    const controller = new AbortController();
    const options = {
      // Long enough that a machine that stalls does not send the whole step at once.
      offer: { kind: "rates", perSecond: [20, 20, 20], seconds: 2 },
      signal: controller.signal,
      onProgress: ({ subject, sent }: LoadProgress) => {
        if (subject.startsWith("step 2") && (sent ?? 0) >= 5) controller.abort();
      },
    } as const;
    await run(options, async ({ record, folder }) => {
      expect(record.status).toBe("interrupted");
      expect(record.steps.map(({ status }) => status)).toEqual(["complete", "interrupted"]);
      expect(await verify(record, folder)).toMatchObject({ outcome: "agrees", problems: [] });
      expect(loadExitCode(record, false)).toBe(130);
    });
  });

  it("asks nothing of an endpoint that does not answer as one", async () => {
    await expect(run({}, () => undefined, json({}, 404))).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      message: expect.stringContaining("404"),
    });
  });

  it("loads the generator of a module", async () => {
    const core = new URL("../../core/dist/index.js", import.meta.url).href;
    const bench = new URL("../dist/index.js", import.meta.url).href;
    const source = `
      import { createGenerator, createTokenQueue } from ${JSON.stringify(core)};
      import { defineScenario } from ${JSON.stringify(bench)};
      const token = (index) => ({ index, id: index, text: "a", endOfSequence: false });
      export const echo = defineScenario({
        name: "echo",
        prompt: [1, 2],
        open: () => createGenerator({
          stream: ({ config }) => createTokenQueue(async (sink) => {
            for (let index = 0; index < config.maxTokens; index += 1) sink.push(token(index));
            return { finishReason: "length", promptTokens: 2,
              timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 } };
          }, Infinity).source,
        }),
      });`;
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "echo.bench.mjs");
      await writeFile(path, source);
      const url = pathToFileURL(path).href;
      const list = [{ prompt: [1, 2] }];
      const target = { kind: "module", url } as const;
      await run(
        { target, mix: { ...mix, source: "list", list } },
        async ({ record, folder: out }) => {
          expect(record.target).toMatchObject({ kind: "module", name: "echo" });
          expect(
            record.steps.every(({ stages }) => stages[0]?.completed === stages[0]?.offered),
          ).toBe(true);
          expect(await verify(record, out)).toMatchObject({ outcome: "agrees", problems: [] });
        },
      );
    });
  });
});

/** Replaces one value somewhere in an object. */
function damage(object: Record<string, unknown>, draw: Draw, value: unknown): void {
  const keys = Object.keys(object);
  if (keys.length === 0) return;
  const key = draw.pick(keys);
  const inner = object[key];
  if (typeof inner === "object" && inner !== null && !draw.chance(0.15)) {
    return damage(inner as Record<string, unknown>, draw, value);
  }
  object[key] = value;
}

describe("a record of a load", () => {
  it("does not verify once it was changed", async () => {
    await run({ objective: generous }, async ({ record, folder }) => {
      const [step, ...others] = record.steps;
      const [stage] = step?.stages ?? [];
      if (step === undefined || stage === undefined) return expect.fail("There is no step.");
      const changed = (change: object): LoadRecord => ({
        ...record,
        steps: [{ ...step, ...change }, ...others],
      });
      const withStage = (change: object): LoadRecord =>
        changed({ stages: [{ ...stage, ...change }] });
      const { schedule } = step;
      const [raw] = step.rawSamples;
      for (const [altered, problem] of [
        [withStage({ good: stage.good - 1 }), /stages: it\[0\]\.good is/],
        [withStage({ late: stage.late + 1 }), /late/],
        [withStage({ endToEnd: record.steps[1]?.stages[0]?.endToEnd }), /endToEnd/],
        [withStage({ offered: stage.offered + 1 }), /offered/],
        [changed({ schedule: { ...schedule, seed: 99 } }), /not due as its seed says/],
        [changed({ verdict: "missed" }), /verdict/],
        [changed({ stages: [] }), /stages: it\[0\] is missing/],
        [withStage({ seconds: 9 }), /seconds is 9/],
        [withStage({ arrived: stage.arrived - 1 }), /not all of its requests came to an end/],
        [changed({ shards: 2 }), /2 shards, and samples of 1/],
        [changed({ rawSamples: record.steps[1]?.rawSamples }), /another run, step or shard/],
        [changed({ rawSamples: [{ ...raw, sha256: "00" }] }), /SHA-256/],
        [changed({ rawSamples: [{ ...raw, file: "../record.json" }] }), /nowhere else/],
        [changed({ rawSamples: [{ ...raw, file: "raw/none" }] }), /cannot be read/],
        [{ ...record, seed: 8 }, /seed is 7, and follows from the run's as 8/],
        [{ ...record, objective: { limits: { timeToFirstToken: 1 }, share: 0.99 } }, /good/],
      ] as const) {
        const verification = await verify(altered, folder);
        expect(verification.outcome).toBe("differs");
        expect(verification.problems.join("\n")).toMatch(problem);
      }
      expect(await verify({ ...record, steps: [] }, folder)).toMatchObject({ outcome: "nothing" });
    });
  });

  it("does not verify without one of its requests, though the hash is right", async () => {
    await run({}, async ({ record, folder }) => {
      const [step, ...others] = record.steps;
      const [raw] = step?.rawSamples ?? [];
      if (step === undefined || raw === undefined) return expect.fail("There is no step.");
      const { requests, ...identity } = await readLoadSamples(
        await readFile(join(folder, raw.file)),
      );
      const writer = new LoadSamplesWriter(identity);
      for (const request of requests) if (request.index !== 3) writer.add(request);
      const bytes = await writer.finish();
      const reference = { ...raw, byteLength: bytes.byteLength, sha256: sha256(bytes) };
      const altered = { ...record, steps: [{ ...step, rawSamples: [reference] }, ...others] };
      const { outcome, problems } = await verifyLoad(altered, async (file) =>
        file === raw.file ? bytes : await readFile(join(folder, file)),
      );
      expect(outcome).toBe("differs");
      expect(problems.join("\n")).toMatch(/request 4 was not due as its seed says/);
      expect(problems.join("\n")).toMatch(/arrived is/);
    });
  });

  it("is refused by name or verified, whatever stands in it", async () => {
    const junk: readonly unknown[] = [
      null,
      "",
      "x",
      -1,
      0,
      1.5,
      1e300,
      [],
      {},
      true,
      { toString: null },
      [null],
    ];
    await run({ objective: generous }, async ({ record, folder }) => {
      const draw = createDraw(23);
      let refused = 0;
      for (let round = 0; round < 400; round += 1) {
        const damaged = structuredClone(record) as unknown as Record<string, unknown>;
        damage(damaged, draw, draw.pick(junk));
        try {
          const verification = await verify(parseLoadRecord(damaged), folder);
          expect(["agrees", "differs", "nothing"]).toContain(verification.outcome);
        } catch (error) {
          expect(error).toMatchObject({ code: "INVALID_RECORD" });
          refused += 1;
        }
      }
      expect(refused).toBeGreaterThan(100);
      expect(refused).toBeLessThan(400);
    });
  });

  it("is read only where every field is as it has to be", async () => {
    await run({}, async ({ record, folder }) => {
      for (const [damaged, message] of [
        [{ ...record, version: 2 }, /has version 2, and this streamgauge reads version 1/],
        [{ ...record, version: { toString: null } }, /has version/],
        [{ ...record, seed: "7" }, /"record.seed" must be a number/],
        [{ ...record, target: { kind: "moon" } }, /"record.target.kind" must be/],
        [{ ...record, steps: [{}] }, /"record.steps\[0\]/],
        [{ ...record, objective: { limits: { ttft: 1 }, share: "1" } }, /objective.share/],
      ] as const) {
        expect(() => parseLoadRecord(damaged)).toThrow(message);
        await writeFile(join(folder, "record.json"), JSON.stringify(damaged));
        await expect(readLoadRecord(folder)).rejects.toMatchObject({ code: "INVALID_RECORD" });
      }
      expect(() => parseLoadRecord(null)).toThrow(/no record of a load/);
      await writeFile(join(folder, "record.json"), "{");
      expect(await readLoadRecord(folder)).toBeUndefined();
    });
  });
});

describe("the answer of a load", () => {
  it.each([80, 100, 200])(
    "has twelve lines of %d columns at most, whatever there is to say",
    async (width) => {
      const offer = {
        kind: "rates",
        perSecond: Array.from({ length: 14 }, () => 200),
        seconds: 0.05,
      } as const;
      let count = 0;
      const failing: Script = (response, seen) => {
        count += 1;
        if (count % 3 > 0) return answering(response, seen);
        return json("{}", [400, 403, 429][(count / 3) % 3])(response, seen);
      };
      await run(
        { offer, objective: { limits: { endToEnd: 60e9 }, share: 0.99 } },
        ({ record, folder }) => {
          const summary = summarizeLoad(record, join(folder, "record.json"));
          const lines = loadLines(summary, `pnpm streamgauge verify ${"x".repeat(90)}`, {
            color: false,
            unicode: false,
            width,
          });
          const rows = lines.reduce((sum, line) => sum + Math.ceil(line.length / width), 0);
          expect(rows).toBeLessThanOrEqual(12);
          const text = lines.join("\n");
          expect(text).toContain("of 14 stages shown");
          expect(text).toMatch(/Failed: HTTP 4\d\d/);
          expect(text).toContain("first token p50 / p99");
          expect(text).toContain("missed at 200 per second");
          expect(loadExitCode(record, false)).toBe(0);
          expect(loadExitCode(record, true)).toBe(1);
          expect(summary.stages).toHaveLength(14);
          expect(JSON.stringify(summary)).not.toContain("HISTFAAAA");
        },
        failing,
      );
    },
  );
});

describe("a plan of a load", () => {
  const offer = { kind: "rates", perSecond: [10], seconds: 1 } as const;

  it.each<[Partial<Parameters<typeof planLoad>[0]>, RegExp]>([
    [{ offer: { ...offer, perSecond: [] } }, /no rate/],
    [{ offer: { ...offer, perSecond: [10, -1] } }, /is -1 per second/],
    [{ offer: { ...offer, seconds: 0 } }, /has 0 seconds/],
    [{ offer: { kind: "ramp", perSecond: [10], seconds: 1 } }, /needs two rates/],
    [{ offer: { kind: "find", startPerSecond: 1, seconds: 1 } }, /by an objective/],
    [{ offer: { kind: "trace", dueNanoseconds: [] } }, /no arrivals/],
    [{ seed: -1 }, /seed is -1/],
    [{ seed: 2 ** 31 }, /seed is 2147483648/],
    [{ maxConcurrency: 0 }, /in flight are 0/],
    [{ timeoutSeconds: 0 }, /timeout is 0/],
    [{ objective: { limits: {}, share: 1 } }, /no limit/],
  ])("is refused: %j", (change, message) => {
    expect(() => planLoad({ offer, mix, ...change })).toThrow(message);
    expect(() => planLoad({ offer, mix, ...change })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
  });
});
