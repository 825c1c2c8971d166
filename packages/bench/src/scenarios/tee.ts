import { setImmediate as nextTurn } from "node:timers/promises";
import {
  StreamgaugeError,
  teeTokens,
  toReadableStream,
  type StreamToken,
  type TokenStream,
} from "@streamgauge/core";
import { runsOf } from "../conclude/paired-blocks.js";
import { concludeTee } from "../conclude/tee-analysis.js";
import { interleave, runInTurn } from "../measure/interleave.js";
import { LatencyHistogram } from "../measure/latency-histogram.js";
import type { Work } from "../measure/measured-run.js";
import { modeOf, workOf, type MeasurementOptions } from "../measure/measurement-work.js";
import { TokenRecorder } from "../measure/recorder.js";
import { WarmUpGate, warmUpTokens } from "../measure/warm-up.js";
import { measurementsOn, paced } from "../plan/build-stage.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import type { MeasurementContext, MeasurementPlan, Scenario } from "../plan/stage.js";
import type { TeeMeasurement, TeeWayName } from "../record/tee.js";

/** What {@link teeMeasurement} is told. */
export interface TeeOptions extends Pick<MeasurementOptions, "id"> {
  /** Of each run. */
  readonly tokens: number;
  /** A multiple of six: three ways have six orders that balance. */
  readonly blocks: number;
  /** It ends early after this long, with the blocks that it has. */
  readonly timeBudgetSeconds: number;
  /** A guess, for the time left. */
  readonly expectedSeconds: number;
  /** CPU time so far. Default: user + system time of the process. */
  readonly cpuMicroseconds?: () => number;
}

/** What each reader gets. */
type Split = (stream: TokenStream) => readonly AsyncIterable<StreamToken>[];

const splits: Readonly<Record<TeeWayName, Split>> = {
  "one reader": (stream) => [stream],
  teeTokens: (stream) => teeTokens(stream),
  "ReadableStream.tee": (stream) => toReadableStream(stream).tee(),
};
const ways = Object.keys(splits) as TeeWayName[];
const mostReaders = 2;

/**
 * What it costs to split one stream for two readers, by core's `teeTokens` and by the platform's
 * `tee()`, against one reader, in interleaved blocks.
 *
 * ```text
 * CPU per token    = user + system time of the process over a run / tokens made
 * delivery latency = delivered to a reader − made
 * ```
 *
 * Readers only take the time of each token. Each has to get every token once and in order.
 */
export function teeMeasurement(options: TeeOptions): MeasurementPlan {
  const { tokens, expectedSeconds } = options;
  return {
    id: options.id ?? `tee-${tokens}`,
    expectedSeconds,
    async measure(generator, context) {
      const measured = await measureTee(generator, options, context);
      return measured === undefined ? {} : { tee: [measured] };
    },
  };
}

/** One way in one block. */
interface TeeRun {
  readonly way: TeeWayName;
  readonly cpuMicroseconds: number;
  readonly durationNanoseconds: number;
  /** Of all readers; none where nobody knows. */
  readonly deliveryNanoseconds: readonly number[];
}

const nameOf = ({ way }: Pick<TeeRun, "way">): TeeWayName => way;

type TeeBlock = { readonly runs: readonly Omit<TeeRun, "deliveryNanoseconds">[] };

async function measureTee(
  generator: ScenarioGenerator,
  options: TeeOptions,
  context: MeasurementContext,
): Promise<TeeMeasurement | undefined> {
  const { tokens, blocks: planned, timeBudgetSeconds } = options;
  const { clock, seed, signal, plan } = context;
  const warmUp = new WarmUpGate();
  const latencies = new Map<TeeWayName, LatencyHistogram>();
  const blocks: TeeBlock[] = [];
  const status = await interleave<TeeWayName, readonly TeeRun[]>({
    members: ways,
    seed,
    clock,
    signal,
    blocks: planned,
    timeBudget: { seconds: timeBudgetSeconds },
    isWarm: () => warmUp.finished,
    measuredOrders: "fresh",
    runBlock: (order, phase) => {
      const count = phase === "warm-up" ? Math.min(tokens, warmUpTokens) : tokens;
      const work = workOf(context, count);
      return runInTurn(order, signal, (way) => runWay(generator, way, work, { options, context }));
    },
    onWarmUp: (runs) =>
      warmUp.add(runs.reduce((sum, { durationNanoseconds }) => sum + durationNanoseconds, 0)),
    onBlock: (runs) => {
      for (const { way, deliveryNanoseconds } of runs) {
        const histogram = latencies.get(way) ?? new LatencyHistogram();
        for (const nanoseconds of deliveryNanoseconds) histogram.add(nanoseconds);
        if (deliveryNanoseconds.length > 0) latencies.set(way, histogram);
      }
      blocks.push({ runs: runs.map(({ deliveryNanoseconds: _, ...run }) => run) });
    },
  });
  if (status === "interrupted") return undefined;
  return {
    ...modeOf(plan, "streamAsync", tokens),
    warmUp: warmUp.summary,
    ways: concludeTee(
      ways.map((way) => ({
        way,
        cpuMicroseconds: runsOf(blocks, way, nameOf).map((run) => run.cpuMicroseconds),
        durationNanoseconds: runsOf(blocks, way, nameOf).map((run) => run.durationNanoseconds),
        deliveryLatency: latencies.get(way)?.summarize() ?? null,
      })),
      tokens,
    ),
  };
}

async function runWay(
  generator: ScenarioGenerator,
  way: TeeWayName,
  { prompt, config }: Work,
  { options, context: { clock } }: { options: TeeOptions; context: MeasurementContext },
): Promise<TeeRun> {
  const { cpuMicroseconds = processCpuMicroseconds } = options;
  const recorders = Array.from(
    { length: mostReaders },
    () => new TokenRecorder(clock, config.maxTokens),
  );
  // What the run before has left in the event loop is not this run's cost.
  await nextTurn();
  const cpuBefore = cpuMicroseconds();
  const startNanoseconds = clock.nowNanoseconds();
  const stream = generator.generateStreamAsync(prompt, config);
  const branches = splits[way](stream);
  const used = recorders.slice(0, branches.length);
  const reading = branches.map((branch, reader) => take(branch, used[reader] as TokenRecorder));
  const inOrder = await Promise.all(reading);
  await stream.result;
  const durationNanoseconds = Math.round(clock.nowNanoseconds() - startNanoseconds);
  const spentMicroseconds = cpuMicroseconds() - cpuBefore;

  refuseLosses(way, used, inOrder, config.maxTokens);
  const deliveryNanoseconds = used.flatMap((recorder) => {
    const { deliveredNanoseconds, producedNanoseconds } = recorder.since(startNanoseconds);
    return Array.from(
      deliveredNanoseconds,
      (delivered, index) => delivered - (producedNanoseconds[index] as number),
    ).filter((nanoseconds) => !Number.isNaN(nanoseconds));
  });
  return { way, cpuMicroseconds: spentMicroseconds, durationNanoseconds, deliveryNanoseconds };
}

/** Resolves to whether each token came in its place. */
async function take(tokens: AsyncIterable<StreamToken>, recorder: TokenRecorder): Promise<boolean> {
  let inOrder = true;
  for await (const token of tokens) {
    if (token.index !== recorder.count) inOrder = false;
    recorder.record(token);
  }
  return inOrder;
}

/** @throws StreamgaugeError `OUTPUT_MISMATCH` unless each reader got each token once and in order */
function refuseLosses(
  way: TeeWayName,
  recorders: readonly TokenRecorder[],
  inOrder: readonly boolean[],
  tokens: number,
): void {
  const wrong = recorders.findIndex(
    ({ count }, reader) => count !== tokens || inOrder[reader] !== true,
  );
  if (wrong === -1) return;
  throw new StreamgaugeError(
    "OUTPUT_MISMATCH",
    `${way}: reader ${wrong} got ${recorders[wrong]?.count} of ${tokens} tokens` +
      (inOrder[wrong] === true ? "." : ", not in order.") +
      " Each reader has to get each token once and in order: a way that loses one is not measured.",
  );
}

function processCpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

/** A paced engine in a worker thread: its tokens come one by one, and cost nothing else here. */
export const tee: Scenario = {
  name: "tee",
  description: "one stream for two readers: what splitting it costs",
  stages: (size) => {
    const blocks = { quick: 12, standard: 24, full: 24 }[size];
    const expectedSeconds = 0.4 * (blocks + 1);
    return [
      measurementsOn(paced(100, "pooled"), [
        teeMeasurement({
          tokens: 1000,
          blocks,
          timeBudgetSeconds: 2 * expectedSeconds,
          expectedSeconds,
        }),
      ]),
    ];
  },
};
