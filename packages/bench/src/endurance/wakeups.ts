import { readFileSync } from "node:fs";
import type { Runtime } from "@streamgauge/runtime";
import { createDraw } from "../statistics/draw.js";
import { LatencyHistogram } from "../measure/latency-histogram.js";
import type { Progress } from "../terminal/progress-display.js";
import type { Estimate, LatencySummary } from "../record/index.js";
import { paced, pequod } from "../plan/build-stage.js";
import type { GeneratorPlan } from "../plan/generator-plan.js";
import { closingOpened, type Keep } from "../plan/opened.js";
import { promptFor } from "../plan/prompts.js";
import { hodgesLehmann, median, minimumSamples } from "../statistics/index.js";
import { needsRuntime } from "../plan/needs-runtime.js";

export interface WakeUpOptions {
  /** Blocks of each load, ≥ 6 for intervals. In each, every ring runs once, in a drawn order. */
  readonly blocks: number;
  readonly seed: number;
  /** Default: 1, 4 and 16 streams of the embedded model, and one of a model of 20 ms. */
  readonly loads?: readonly WakeUpLoad[];
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: WakeUpProgress) => void;
}

export interface WakeUpProgress extends Progress {
  readonly fractionDone: number;
}

/** What one run cost and was like. Quantities that this platform does not tell are undefined. */
interface Run {
  /** CPU time of the consuming thread. */
  readonly threadMicrosecondsPerToken: number | undefined;
  /** CPU time of the whole process. */
  readonly processMicrosecondsPerToken: number;
  readonly wakeUpsPerSecond: number;
  /** How many the promise allows: one for each longest delay, and two for each stream. */
  readonly allowedWakeUpsPerSecond: number;
  /** First token delivered − call made, of the streams the median. */
  readonly timeToFirstTokenMilliseconds: number;
  /** Delivered − made, the median over all tokens. */
  readonly latencyMilliseconds: number;
}

export type Quantity =
  | "threadMicrosecondsPerToken"
  | "processMicrosecondsPerToken"
  | "timeToFirstTokenMilliseconds"
  | "latencyMilliseconds";

/** One ring under one load. */
export interface RingWakeUps {
  readonly ring: string;
  readonly maxDelayMilliseconds: number;
  /** Medians over blocks. */
  readonly medians: Readonly<Record<Quantity | "wakeUpsPerSecond", number | undefined>>;
  /** In how many blocks there were more wake-ups than allowed; of none where every token wakes. */
  readonly blocksAboveAllowance: number;
  /** Delivered − made, over every token of all blocks. */
  readonly deliveryLatency: LatencySummary;
  /** This ring − the one that wakes for each token, block by block. Undefined with few blocks. */
  readonly differences: Readonly<Partial<Record<Quantity, Estimate>>>;
}

export interface WakeUpReport {
  readonly seed: number;
  readonly loads: readonly {
    readonly load: string;
    readonly blocks: number;
    readonly rings: readonly RingWakeUps[];
  }[];
  readonly interrupted: boolean;
}

/** What one run generates. */
export interface WakeUpLoad {
  readonly name: string;
  /** The paced engine where it has a step, and otherwise the embedded model. */
  readonly plan: GeneratorPlan;
  /** Streams at once. */
  readonly streams: number;
  /** Tokens of each stream. */
  readonly tokens: number;
}

const slowStepMicroseconds = 20_000;
const model = pequod("pooled");
const allLoads: readonly WakeUpLoad[] = [
  { name: "1 stream", plan: model, streams: 1, tokens: 100 },
  { name: "4 streams", plan: model, streams: 4, tokens: 100 },
  { name: "16 streams", plan: model, streams: 16, tokens: 100 },
  { name: "20 ms a token", plan: paced(slowStepMicroseconds, "pooled"), streams: 1, tokens: 25 },
];

const everyToken = "0 ms";
/** What every other is compared with, and the same once more: that shows what noise looks like. */
const rings = ["default", everyToken, `${everyToken} again`] as const;

/**
 * Streams by the default ring and by one whose consumer is woken for each token,
 * in interleaved blocks: what the wake-ups cost the consuming thread and the
 * process, how late tokens are told, and how often the thread wakes.
 */
export async function measureWakeUps(options: WakeUpOptions): Promise<WakeUpReport> {
  const { blocks, seed, loads = allLoads, signal, onProgress } = options;
  const report: WakeUpReport["loads"][number][] = [];
  const isAborted = (): boolean => signal?.aborted === true;
  for (const [position, load] of loads.entries()) {
    if (isAborted()) break;
    await closingOpened(async (keep) => {
      const race = await Race.open(load, keep);
      for (let block = 0; block < blocks && !isAborted(); block++) {
        await race.runBlock(seed + block);
        const fractionDone = (position + (block + 1) / blocks) / loads.length;
        onProgress?.({ subject: load.name, fractionDone });
      }
      report.push(race.conclude());
    });
  }
  return { seed, loads: report, interrupted: isAborted() };
}

class Race {
  readonly #load: WakeUpLoad;
  readonly #runtimes: ReadonlyMap<string, Runtime>;
  readonly #runs = new Map<string, Run[]>(rings.map((ring) => [ring, []]));
  readonly #latencies = new Map(rings.map((ring) => [ring as string, new LatencyHistogram()]));

  private constructor(load: WakeUpLoad, runtimes: ReadonlyMap<string, Runtime>) {
    this.#load = load;
    this.#runtimes = runtimes;
  }

  /**
   * Opens a runtime for each ring, and warms it up.
   *
   * @param keep closes them
   */
  static async open(load: WakeUpLoad, keep: Keep): Promise<Race> {
    const { createRuntime, pacedModel, embeddedModel } = await needsRuntime(
      () => import("@streamgauge/runtime"),
    );
    const { stepMicroseconds } = load.plan;
    const runtimes = new Map<string, Runtime>();
    for (const ring of rings) {
      const opened = await createRuntime({
        model: stepMicroseconds === undefined ? embeddedModel : pacedModel({ stepMicroseconds }),
        ...(stepMicroseconds === undefined ? { prefixReuse: false } : {}),
        ring: ring === "default" ? {} : { maxDelayMilliseconds: 0 },
      });
      runtimes.set(ring, keep(opened));
    }
    const race = new Race(load, runtimes);
    const warmUps = load.plan === model ? 3 : 1;
    for (let round = 0; round < warmUps; round++) {
      for (const runtime of runtimes.values()) await race.#run(runtime, new LatencyHistogram());
    }
    return race;
  }

  async runBlock(seed: number): Promise<void> {
    for (const ring of createDraw(seed).shuffle<string>(rings)) {
      const [runtime, latencies] = [this.#runtimes.get(ring), this.#latencies.get(ring)];
      if (runtime === undefined || latencies === undefined) continue;
      this.#runs.get(ring)?.push(await this.#run(runtime, latencies));
    }
  }

  async #run(runtime: Runtime, histogram: LatencyHistogram): Promise<Run> {
    const { streams, tokens, plan } = this.#load;
    const prompt = promptFor(plan);
    const latencies: number[] = [];
    const first: number[] = [];
    // First, and last below: metrics() takes milliseconds to pack its histograms.
    const { wakeUps } = runtime.metrics().delivery;
    const before = {
      thread: threadMicroseconds(),
      process: process.cpuUsage(),
      now: performance.now(),
    };
    const read = async (): Promise<void> => {
      const calledAt = performance.now();
      const config = { maxTokens: tokens, ignoreEos: true };
      for await (const token of runtime.generateStreamAsync(prompt, config)) {
        const now = performance.now();
        if (token.index === 0) first.push(now - calledAt);
        latencies.push(now - (token.producedAtMilliseconds ?? now));
      }
    };
    await Promise.all(Array.from({ length: streams }, read));
    const seconds = (performance.now() - before.now) / 1000;
    const thread = threadMicroseconds();
    const { user, system } = process.cpuUsage(before.process);
    const made = streams * tokens;
    const { maxDelayMilliseconds } = runtime.describe().ring;
    for (const latency of latencies) histogram.add(latency * 1e6);
    return {
      threadMicrosecondsPerToken:
        thread === undefined || before.thread === undefined
          ? undefined
          : (thread - before.thread) / made,
      processMicrosecondsPerToken: (user + system) / made,
      wakeUpsPerSecond: (runtime.metrics().delivery.wakeUps - wakeUps) / seconds,
      allowedWakeUpsPerSecond: 1000 / maxDelayMilliseconds + (2 * streams) / seconds,
      timeToFirstTokenMilliseconds: median(first),
      latencyMilliseconds: median(latencies),
    };
  }

  conclude(): WakeUpReport["loads"][number] {
    const { name } = this.#load;
    const base = this.#runs.get(everyToken) ?? [];
    return {
      load: name,
      blocks: base.length,
      rings: rings.map((ring) => {
        const runs = this.#runs.get(ring) ?? [];
        const { maxDelayMilliseconds = 0 } = this.#runtimes.get(ring)?.describe().ring ?? {};
        const of = (key: keyof Run): number[] =>
          runs.map((run) => run[key]).filter((value) => value !== undefined);
        const middle = (key: keyof Run): number | undefined =>
          of(key).length === 0 ? undefined : median(of(key));
        return {
          ring,
          maxDelayMilliseconds,
          medians: {
            threadMicrosecondsPerToken: middle("threadMicrosecondsPerToken"),
            processMicrosecondsPerToken: middle("processMicrosecondsPerToken"),
            timeToFirstTokenMilliseconds: middle("timeToFirstTokenMilliseconds"),
            latencyMilliseconds: middle("latencyMilliseconds"),
            wakeUpsPerSecond: middle("wakeUpsPerSecond"),
          },
          blocksAboveAllowance: runs.filter(
            (run) => run.wakeUpsPerSecond > run.allowedWakeUpsPerSecond,
          ).length,
          deliveryLatency: (this.#latencies.get(ring) ?? new LatencyHistogram()).summarize(),
          differences: ring === everyToken ? {} : differences(runs, base),
        };
      }),
    };
  }
}

const quantities: readonly Quantity[] = [
  "threadMicrosecondsPerToken",
  "processMicrosecondsPerToken",
  "timeToFirstTokenMilliseconds",
  "latencyMilliseconds",
];

function differences(runs: readonly Run[], base: readonly Run[]): RingWakeUps["differences"] {
  const found: Partial<Record<Quantity, Estimate>> = {};
  for (const quantity of quantities) {
    const samples = runs.flatMap((run, block) => {
      const [value, other] = [run[quantity], base[block]?.[quantity]];
      return value === undefined || other === undefined ? [] : [value - other];
    });
    if (samples.length >= minimumSamples) found[quantity] = hodgesLehmann(samples);
  }
  return found;
}

/** CPU time of this thread so far, in microseconds: from Linux, or from Node where it tells. */
function threadMicroseconds(): number | undefined {
  try {
    const [nanoseconds] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(
      " ",
    );
    return Number(nanoseconds) / 1000;
  } catch {
    const usage = (process as { threadCpuUsage?: () => NodeJS.CpuUsage }).threadCpuUsage?.();
    return usage === undefined ? undefined : usage.user + usage.system;
  }
}
