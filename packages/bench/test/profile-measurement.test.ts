import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "@streamgauge/runtime/diagnostics";
import type { Diagnostics, ThreadReport } from "../src/profile/thread-report.js";
import { estimateCost, runsOfBlocks } from "../src/profile/instrument-cost.js";
import { profileMeasurement, type ProfileOptions } from "../src/profile/profile-measurement.js";
import type { ProfileMeasurement } from "../src/record/index.js";
import { profileMeasurement as checkProfile } from "../src/record/profile.js";
import type { GeneratorPlan, ScenarioGenerator } from "../src/plan/generator-plan.js";
import type { MeasurementContext } from "../src/plan/stage.js";
import { createFakeGenerator, ManualClock, type Mode } from "./fake-generator.js";

const tokens = 40;
const stepNanoseconds = 1_000_000;

/** A bench without threads: what happened is in `log`, and time is what the clock says. */
class Scene {
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly files = new Map<string, string | Uint8Array>();
  readonly opened: GeneratorPlan[] = [];
  /** The diagnostic that is on, and makes a token take a tenth longer. */
  running: Diagnostic | undefined;
  closed = 0;

  readonly plan: GeneratorPlan = {
    id: "tiny/pooled",
    engine: "onnx",
    model: "tiny",
    host: "pooled",
  };

  generator(about: { readonly slowdown?: number; readonly idAt?: number } = {}): ScenarioGenerator {
    const { slowdown = 1 } = about;
    const generator = createFakeGenerator({
      clock: this.clock,
      tokenNanoseconds: () => stepNanoseconds * slowdown * (this.running === undefined ? 1 : 1.1),
      onCall: (mode: Mode) => this.log.push(this.running === undefined ? mode : `${mode} observed`),
      idAt: (_mode, index) => index + (about.idAt ?? 0),
    });
    return {
      ...generator,
      diagnostics: this.diagnostics("worker 0"),
      close: () => {
        this.closed += 1;
        return generator.close();
      },
    };
  }

  diagnostics(thread: string): Diagnostics {
    return (kind) => {
      this.log.push(`start ${thread}`);
      this.running = kind;
      return Promise.resolve({
        stop: () => {
          this.log.push(`stop ${thread}`);
          this.running = undefined;
          const report = { thread, clockOffsetMilliseconds: 0, report: reports[kind] };
          return Promise.resolve([report as unknown as ThreadReport<typeof kind>]);
        },
      });
    };
  }

  context(about: Partial<MeasurementContext> = {}): MeasurementContext {
    return {
      clock: this.clock,
      seed: 3,
      plan: this.plan,
      prompt: [1, 2, 3],
      signal: undefined,
      open: (plan) => {
        this.opened.push(plan);
        return Promise.resolve(this.generator());
      },
      saveFile: (name, content) => {
        this.files.set(name, content);
        return Promise.resolve(name);
      },
      ...about,
    };
  }

  options(about: Partial<ProfileOptions>): ProfileOptions {
    return {
      kind: "cpuProfile",
      treatment: "stream",
      tokens,
      blocks: 6,
      mainDiagnostics: this.diagnostics("main"),
      ...about,
    };
  }

  async measure(
    about: Partial<ProfileOptions>,
    context: MeasurementContext = this.context(),
  ): Promise<ProfileMeasurement> {
    const plan = profileMeasurement(this.options(about));
    const { profiles = [] } = await plan.measure(this.generator(), context);
    const [profile] = profiles;
    if (profile === undefined) throw new Error("Nothing was measured.");
    checkProfile(JSON.parse(JSON.stringify(profile)), "profile");
    return profile;
  }
}

const reports = {
  cpuProfile: {
    nodes: [
      { id: 1, callFrame: { functionName: "chat", url: "file:///x/chat.mjs", lineNumber: 0 } },
    ],
    startTime: 0,
    endTime: 400,
    samples: [1],
    timeDeltas: [0],
  },
  allocations: {
    head: {
      id: 1,
      callFrame: { functionName: "chat", url: "file:///x/chat.mjs", lineNumber: 0 },
      selfSize: 4128,
      children: [],
    },
    samples: [{ nodeId: 1, size: 4128 }],
  },
  timeline: {
    garbageCollections: [{ kind: "minor", startMilliseconds: 0, durationMilliseconds: 1 }],
    eventLoopDelays: [],
  },
  asyncActivity: { promises: 80, reactions: 40, reactionMilliseconds: 2 },
};

describe("estimateCost", () => {
  const blocks = Array.from({ length: 6 }, (_, index) => {
    const off = 1e6 * (index + 1);
    return { off, offAgain: off, on: off * 1.2 };
  });

  it("compares on with off, and off with itself, block by block", () => {
    const cost = estimateCost(runsOfBlocks(blocks), 10);
    expect(cost.overhead?.hodgesLehmann.value).toBeCloseTo(0.2, 12);
    expect(cost.overhead?.mean.value).toBeCloseTo(0.2, 12);
    expect(cost.control?.hodgesLehmann.value).toBeCloseTo(0, 12);
    expect(cost.costMicrosecondsPerToken?.mean.value).toBeCloseTo(70, 9);
  });

  it("has no estimates from fewer blocks than an interval needs", () => {
    const runs = runsOfBlocks(blocks.slice(0, 5));
    expect(estimateCost(runs, 10)).toEqual({
      blocks: 5,
      control: null,
      overhead: null,
      costMicrosecondsPerToken: null,
      runs,
    });
  });
});

describe("profileMeasurement", () => {
  it("finds what the instrument costs", async () => {
    const profile = await new Scene().measure({});
    expect(profile).toMatchObject({ generator: "tiny/pooled", treatment: "stream", tokens });
    expect(profile.cost.blocks).toBe(6);
    expect(profile.cost.control?.hodgesLehmann.value).toBeCloseTo(0, 12);
    expect(profile.cost.overhead?.hodgesLehmann.value).toBeCloseTo(0.1, 9);
    expect(profile.cost.costMicrosecondsPerToken?.hodgesLehmann.value).toBeCloseTo(100, 6);
  });

  it("observes one of three runs: the workers' report around the main thread's", async () => {
    const scene = new Scene();
    const profile = await scene.measure({});
    expect(profile.generations).toBe(6);
    // Two blocks of warm-up, and six.
    expect(scene.log.filter((entry) => entry === "stream")).toHaveLength(16);
    expect(scene.log.filter((entry) => entry === "stream observed")).toHaveLength(8);
    const start = scene.log.indexOf("start worker 0");
    expect(scene.log.slice(start - 1, start + 5)).toEqual([
      "generate",
      "start worker 0",
      "start main",
      "stream observed",
      "stop main",
      "stop worker 0",
    ]);
  });

  it("divides what all observed runs found by their tokens, and saves the last one's files", async () => {
    const scene = new Scene();
    const { findings, files } = await scene.measure({});
    expect(findings).toMatchObject({
      kind: "cpuProfile",
      threads: [
        { thread: "main", samples: 6, busyMicrosecondsPerToken: 10 },
        { thread: "worker 0", samples: 6, busyMicrosecondsPerToken: 10 },
      ],
    });
    expect(files).toEqual([
      "profiles/tiny-pooled-stream.main.cpuprofile",
      "profiles/tiny-pooled-stream.worker-0.cpuprofile",
    ]);
    const saved = scene.files.get(files[0] as string) as string;
    expect(saved).toContain('"url":"x/chat.mjs"');
    const asReported = saved.replaceAll("x/chat.mjs", "file:///x/chat.mjs");
    expect(JSON.parse(asReported)).toEqual(reports.cpuProfile);
  });

  it("takes allocations of generate() too", async () => {
    const { findings, files } = await new Scene().measure({
      kind: "allocations",
      treatment: "generate",
    });
    expect(findings).toMatchObject({
      kind: "allocations",
      threads: [{ thread: "main", bytesPerToken: 4128 / tokens }, { thread: "worker 0" }],
    });
    expect(findings.kind === "allocations" && findings.peakMemory.heapUsedBytes).toBeGreaterThan(0);
    expect(files[0]).toBe("profiles/tiny-pooled-generate.main.heapprofile");
  });

  it("joins timelines and counts promises", async () => {
    const timeline = await new Scene().measure({ kind: "timeline" });
    expect(timeline.findings).toMatchObject({
      threads: [{ thread: "main", garbageCollections: 6 }, { thread: "worker 0" }],
    });
    expect(timeline.files).toEqual(["profiles/tiny-pooled-stream.all-threads.trace.json"]);
    const activity = await new Scene().measure({ kind: "asyncActivity", treatment: "streamAsync" });
    expect(activity.findings).toMatchObject({
      threads: [
        { thread: "main", promisesPerToken: 2, reactionMicrosecondsPerToken: 50 },
        { thread: "worker 0" },
      ],
    });
  });

  it("is one thread's matter where there are no workers", async () => {
    const scene = new Scene();
    const { diagnostics: _, ...inline } = scene.generator();
    const plan = profileMeasurement(scene.options({}));
    const { profiles } = await plan.measure(inline, scene.context());
    expect(profiles?.[0]?.files).toEqual(["profiles/tiny-pooled-stream.main.cpuprofile"]);
  });

  it("keeps the blocks that were complete when it was aborted", async () => {
    const scene = new Scene();
    const controller = new AbortController();
    const context = scene.context({ signal: controller.signal });
    const generator = scene.generator();
    let streams = 0;
    const counting: ScenarioGenerator = {
      ...generator,
      generateStream: (...call) => {
        streams += 1;
        // In the third measured block.
        if (streams === 6 + 8) controller.abort();
        return generator.generateStream(...call);
      },
    };
    const { profiles } = await profileMeasurement(scene.options({})).measure(counting, context);
    expect(profiles?.[0]?.cost).toMatchObject({
      blocks: 2,
      control: null,
      overhead: null,
      costMicrosecondsPerToken: null,
    });
    expect(scene.running).toBeUndefined();
  });

  it("returns nothing when it was aborted before that", async () => {
    const scene = new Scene();
    const context = scene.context({ signal: AbortSignal.abort() });
    const plan = profileMeasurement(scene.options({}));
    expect(await plan.measure(scene.generator(), context)).toEqual({});
  });

  it("stops the instrument when a run fails", async () => {
    const scene = new Scene();
    const generator = scene.generator();
    const failing: ScenarioGenerator = {
      ...generator,
      generateStream: (...call) =>
        scene.running === undefined
          ? generator.generateStream(...call)
          : Promise.reject(new Error("lost")),
    };
    const plan = profileMeasurement(scene.options({}));
    await expect(plan.measure(failing, scene.context())).rejects.toThrow("lost");
    expect(scene.running).toBeUndefined();
  });

  it("refuses what a mode or a generator cannot have", async () => {
    const scene = new Scene();
    for (const kind of ["timeline", "ledger"] as const) {
      expect(() => profileMeasurement(scene.options({ kind, treatment: "generate" }))).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION" }),
      );
    }
    const reject = async (kind: ProfileOptions["kind"], plan: Partial<GeneratorPlan>) =>
      await expect(
        scene.measure({ kind }, scene.context({ plan: { ...scene.plan, ...plan } })),
      ).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await reject("ledger", { host: "inline" });
    await reject("operators", { engine: "paced" });
    await reject("operators", { workers: 2 });
    expect(scene.opened).toEqual([]);
    // It opens, and its tokens carry no ledger.
    await reject("ledger", {});
    expect(scene.closed).toBe(1);
  });

  it("refuses to compare different work", async () => {
    const scene = new Scene();
    const context = scene.context({
      open: () => Promise.resolve(scene.generator({ idAt: 1 })),
    });
    await expect(scene.measure({ kind: "ledger" }, context)).rejects.toMatchObject({
      code: "OUTPUT_MISMATCH",
    });
  });

  it("reads the last generation from the operator profile of a second generator", async () => {
    const scene = new Scene();
    const event = (cat: string, name: string, dur: number, operator?: string): string =>
      JSON.stringify({ cat, name, dur, args: operator === undefined ? {} : { op_name: operator } });
    // Opening and the warm-up ran the session before; in the last generation a run takes 30 µs.
    const run = (microseconds: number): string[] => [
      event("Node", "a_kernel_time", microseconds - 10, "MatMul"),
      event("Session", "model_run", microseconds),
    ];
    const runs = [
      ...Array.from({ length: 60 }, () => 999),
      ...Array.from({ length: 40 }, () => 30),
    ];
    let folder = "";
    const context = scene.context({
      open: async (plan) => {
        const prefix = plan.operatorProfile as string;
        folder = dirname(prefix);
        await mkdir(folder, { recursive: true });
        return {
          ...scene.generator({ slowdown: 1.5 }),
          close: async () => {
            await writeFile(`${prefix}_1.json`, `[\n${runs.flatMap(run).join(",\n")}\n]\n`);
          },
        };
      },
    });
    const profile = await scene.measure({ kind: "operators" }, context);
    expect(profile.generations).toBe(1);
    expect(profile.findings).toEqual({
      kind: "operators",
      operators: [{ operator: "MatMul", calls: 40, microsecondsPerToken: 20, fraction: 1 }],
      runMicrosecondsPerToken: 30,
    });
    expect(profile.cost.overhead?.hodgesLehmann.value).toBeCloseTo(0.5, 9);
    expect(profile.files).toEqual(["profiles/tiny-pooled-stream.worker-0.operators.json.gz"]);
    const saved = gunzipSync(scene.files.get(profile.files[0] as string) as Uint8Array);
    expect(JSON.parse(saved.toString())).toHaveLength(80);
    await expect(readdir(folder)).rejects.toMatchObject({ code: "ENOENT" });
  });
});
