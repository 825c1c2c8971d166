import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { StreamgaugeError, type Generator } from "@streamgauge/core";
import type { Runtime } from "@streamgauge/runtime";
import type { Estimate } from "../record/index.js";
import { batchSlope } from "../statistics/index.js";
import { createDraw, type Draw } from "../statistics/draw.js";
import { readStream } from "./drill-reader.js";
import { readers, type PlannedStream } from "./drill-plan.js";
import { collectGarbage } from "./process-watch.js";
import { needsRuntime } from "../plan/needs-runtime.js";

export interface SoakOptions {
  /** Streams to run, ≥ 1. */
  readonly streams: number;
  /** Seed of their lengths and ways; a 32-bit integer. */
  readonly seed: number;
  /** How often memory is sampled. Default 100; fewer than 27 are too few for a slope. */
  readonly samples?: number;
  /** Stops when so much time is over. Default: no limit. */
  readonly minutes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SoakProgress) => void;
}

export interface SoakProgress {
  readonly subject: "streams";
  readonly streams: number;
  readonly fractionDone: number;
}

/** Bytes that the process holds after so many streams, garbage collected. */
export interface SoakSample {
  readonly streams: number;
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
  readonly arrayBuffers: number;
}

/** How one kind of memory went. */
export interface MemoryCourse {
  readonly name: string;
  /** The samples in order, those of the warm-up too. */
  readonly bytes: readonly number[];
  /** Bytes per 1,000 streams, after the warm-up; undefined with too few samples. */
  readonly slope: Estimate | undefined;
  /** Bytes per 1,000 streams that the interval's upper end has to stay below. */
  readonly allowance: number;
  readonly verdict: "flat" | "not shown to be flat" | "too few samples";
}

export interface SoakReport {
  readonly seed: number;
  readonly streams: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly samples: readonly SoakSample[];
  readonly courses: readonly MemoryCourse[];
}

const defaultSamples = 100;
/** Samples before this share of the streams are the warm-up: code is compiled, pools grow. */
const warmUpShare = 0.25;
const batches = 10;
const streamsAtOnce = 24;
const mostTokens = 16;

/**
 * What "flat" allows, in bytes per stream. The smallest thing that a stream could
 * leave in a heap, an entry of a map, has 16 and more, a ring without slots 192,
 * a closed port over 1,000; so 4 would show a leak of any of them in each stream,
 * and of larger ones in a few of a hundred. Resident memory moves in pages and in
 * the arenas of an allocator, whose growth fades: 16 bytes per stream over the
 * first hundred thousand and 8 over four hundred thousand when this was written.
 */
const allowedBytes = { resident: 32, heap: 4, external: 4, arrayBuffers: 4 } as const;

const names = {
  resident: "resident",
  heap: "JavaScript heap",
  external: "external",
  arrayBuffers: "array buffers",
} as const;

/**
 * Runs many short streams, in all modes, some of them aborted or left, on two
 * runtimes of the paced engine whose consumers sleep in different ways, and
 * samples the memory of the process meanwhile.
 *
 * @throws StreamgaugeError `INVALID_OPTION`; `OUTPUT_MISMATCH` when a stream has other ids or ends
 *   otherwise than it should
 */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const { seed, streams, minutes = Infinity, signal, onProgress } = options;
  const wantedSamples = options.samples ?? defaultSamples;
  if (streams < 1) {
    throw new StreamgaugeError("INVALID_OPTION", "A soak needs a stream: ask for one or more.");
  }
  const { createRuntime, pacedModel } = await needsRuntime(() => import("@streamgauge/runtime"));
  limitYoungGeneration();
  const model = pacedModel({ stepMicroseconds: 0 });
  await using first = await createRuntime({ model, ring: { capacity: 64 } });
  await using second = await createRuntime({ model, ring: { capacity: 16, wait: "message" } });
  const draw = createDraw(seed);
  const samples: SoakSample[] = [];
  const startedAt = performance.now();
  const between = Math.max(1, Math.ceil(streams / wantedSamples));
  let done = 0;
  const hasMore = (due: number): boolean =>
    done < due && signal?.aborted !== true && performance.now() - startedAt < minutes * 60_000;
  while (hasMore(streams)) {
    const due = Math.min(streams, done + between);
    const runners = Array.from({ length: streamsAtOnce }, async (_, runner) => {
      const runtime = runner % 2 === 0 ? first : second;
      while (hasMore(due)) {
        done += 1;
        await runOne(runtime, planShort(done, draw));
      }
    });
    await Promise.all(runners);
    samples.push(await takeSample(done));
    onProgress?.({ subject: "streams", streams: done, fractionDone: done / streams });
  }
  return {
    seed,
    streams: done,
    tokens: countTokens(first) + countTokens(second),
    seconds: (performance.now() - startedAt) / 1000,
    interrupted: done < streams,
    samples,
    courses: coursesOf(samples),
  };
}

/** How each kind of memory went over the samples. */
export function coursesOf(samples: readonly SoakSample[]): MemoryCourse[] {
  const warmUp = (samples.at(-1)?.streams ?? 0) * warmUpShare;
  const counted = samples.filter(({ streams }) => streams > warmUp);
  return (["resident", "heap", "external", "arrayBuffers"] as const).map((kind) => {
    const allowance = allowedBytes[kind] * 1000;
    const bytes = samples.map((sample) => sample[kind]);
    const about = { name: names[kind], bytes, allowance };
    if (counted.length < 2 * batches) {
      return { ...about, slope: undefined, verdict: "too few samples" };
    }
    const points = counted.map((sample) => ({ x: sample.streams / 1000, y: sample[kind] }));
    const slope = batchSlope(points, batches);
    const isFlat = slope.interval95.upper < allowance;
    return { ...about, slope, verdict: isFlat ? "flat" : "not shown to be flat" };
  });
}

/**
 * For threads that start from now on: V8 doubles the room for young objects, up
 * to 48 MB for each thread, whenever it sees fit, which can be after two hundred
 * thousand streams. Resident memory would rise in steps that are no leak.
 */
function limitYoungGeneration(): void {
  setFlagsFromString("--max-semi-space-size=1");
}

function planShort(number: number, draw: Draw): PlannedStream {
  const name = `client ${number % 5}`;
  const prompt = [draw.integer(0, 999)];
  const stream = { name, reader: draw.pick(readers), prompt, slow: false };
  const maxTokens = draw.integer(1, mostTokens);
  if (!draw.chance(0.05)) return { ...stream, maxTokens, fault: undefined };
  const kind = draw.pick(["aborted at a token", "left", "throwing consumer"] as const);
  const reader = draw.pick(["callback", "loop"] as const);
  return { ...stream, reader, maxTokens: 1_000_000, fault: { kind, at: maxTokens } };
}

/** Its faults need none. */
const noHelp = { kill: () => Promise.resolve(), untilMade: () => Promise.resolve() };

async function runOne(generator: Generator, plan: PlannedStream): Promise<void> {
  const { seen } = await readStream(generator, plan, noHelp);
  const first = plan.prompt[0] as number;
  const wanted = plan.fault?.at ?? plan.maxTokens;
  const wrong = seen.findIndex((id, index) => id !== (first + 1 + index) % 1000);
  if (wrong === -1 && seen.length === wanted) return;
  throw new StreamgaugeError(
    "OUTPUT_MISMATCH",
    `A stream of ${wanted} tokens after ${first} gave ${seen.join(" ")} (${plan.reader}).`,
  );
}

async function takeSample(streams: number): Promise<SoakSample> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await nextTurn();
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { streams, resident: rss, heap: heapUsed, external, arrayBuffers };
}

function countTokens(runtime: Runtime): number {
  return runtime.metrics().tokens.completion;
}
