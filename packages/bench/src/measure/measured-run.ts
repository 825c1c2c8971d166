import { setImmediate as nextTurn } from "node:timers/promises";
import type {
  GenerationConfig,
  GenerationResult,
  Generator,
  Prompt,
  StreamToken,
} from "@streamgauge/core";
import type { Clock } from "../plan/clock.js";
import type { RawRun } from "./raw-samples.js";
import type { Memory, Treatment } from "../record/index.js";
import { joinTimes, type TokenRecorder } from "./recorder.js";
import type { Workload } from "../plan/workloads.js";

/** What every run of a cell is asked for: the same work each time. */
export interface Work {
  readonly prompt: Prompt;
  readonly config: GenerationConfig & { readonly maxTokens: number };
  /** What the consumer of a stream does with each token; its time is measured apart. */
  readonly workload?: Workload | undefined;
}

/** A run, and what each of its generations made. */
export interface MeasuredRun {
  readonly raw: RawRun;
  readonly results: readonly GenerationResult[];
  /** Tokens that each of its consumers was given; 0 where nobody consumes. */
  readonly delivered: readonly number[];
}

/**
 * Measures as many generations at once as there are recorders, which count their
 * tokens until the next run. Everything but the two clock readings around the
 * calls happens outside of what is timed.
 */
export async function measureRun(
  generator: Generator,
  treatment: Treatment,
  work: Work,
  instruments: { readonly clock: Clock; readonly recorders: readonly TokenRecorder[] },
): Promise<MeasuredRun> {
  const { clock, recorders } = instruments;
  for (const recorder of recorders) recorder.reset();
  // What the run before has left in the event loop is not this run's cost.
  await nextTurn();
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const startNanoseconds = clock.nowNanoseconds();
  const results = await Promise.all(
    recorders.map((recorder) => consume(generator, treatment, work, recorder)),
  );
  const endNanoseconds = clock.nowNanoseconds();
  const loop = performance.eventLoopUtilization(loopBefore);
  const cpu = process.cpuUsage(cpuBefore);
  return {
    results,
    delivered: recorders.map(({ count }) => count),
    raw: {
      treatment,
      endToEndNanoseconds: Math.round(endNanoseconds - startNanoseconds),
      // Four digits are more than it is exact to, and there are thousands of runs.
      eventLoopUtilization: Number(loop.utilization.toFixed(4)),
      cpuMicroseconds: cpu.user + cpu.system,
      memory: sampleMemory(),
      ...joinTimes(recorders.map((recorder) => recorder.since(startNanoseconds))),
    },
  };
}

/** Tokens of a generation that is made only to settle the machine. */
const settlingTokens = 10;

/**
 * Makes a few tokens that nobody measures. Saving a block leaves cold caches
 * behind, and the run after it would pay for them: in the shortest cells it was
 * seen to take 1.4 times as long as the others.
 */
export async function settle(generator: Generator, work: Work): Promise<void> {
  const { prompt, config } = shorten(work, settlingTokens);
  await generator.generate(prompt, config);
}

/** Cuts work to at most so many tokens. */
export function shorten(work: Work, tokens: number): Work {
  const { config } = work;
  return { ...work, config: { ...config, maxTokens: Math.min(tokens, config.maxTokens) } };
}

/** Runs one generation in the way that the treatment stands for. */
export async function consume(
  generator: Generator,
  treatment: Treatment,
  { prompt, config, workload }: Work,
  recorder: TokenRecorder,
): Promise<GenerationResult> {
  switch (treatment) {
    case "generate":
    case "control":
      return await generator.generate(prompt, config);
    case "stream": {
      const onToken =
        workload === undefined
          ? (token: StreamToken): void => recorder.record(token)
          : timedCallback(workload, recorder);
      return await generator.generateStream(prompt, onToken, config);
    }
    case "streamAsync": {
      const stream = generator.generateStreamAsync(prompt, config);
      if (workload === undefined) {
        for await (const token of stream) recorder.record(token);
      } else {
        const onToken = timedCallback(workload, recorder);
        for await (const token of stream) {
          const done = onToken(token);
          if (done !== undefined) await done;
        }
      }
      return await stream.result;
    }
    default:
      return treatment satisfies never;
  }
}

/** Asks the user's code to take a token, between the recorder's two stamps. */
function timedCallback(
  workload: Workload,
  recorder: TokenRecorder,
): (token: StreamToken) => void | Promise<void> {
  const take = workload.create();
  return (token) => {
    recorder.record(token);
    const done = take(token);
    if (done === undefined) return recorder.recordCallback();
    return done.then(() => recorder.recordCallback());
  };
}

/** Of this process, now. */
export function sampleMemory(): Memory {
  const usage = process.memoryUsage();
  return {
    residentBytes: usage.rss,
    heapUsedBytes: usage.heapUsed,
    externalBytes: usage.external,
    arrayBufferBytes: usage.arrayBuffers,
  };
}
