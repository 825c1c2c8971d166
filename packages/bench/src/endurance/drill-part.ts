import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { isStreamgaugeError, messageOf } from "@streamgauge/core";
import type {
  GenerationReport,
  Runtime,
  RuntimeMetrics,
  RuntimeOptions,
} from "@streamgauge/runtime";
import { judge, nameOfEnd, type Expectation } from "./drill-judge.js";
import type { PlannedStream } from "./drill-plan.js";
import { readStream, type Observation } from "./drill-reader.js";
import { collectGarbage, type ProcessWatch } from "./process-watch.js";
import { needsRuntime } from "../plan/needs-runtime.js";

/** A runtime, and the streams that it gets all at once. */
export interface DrillPart extends Expectation {
  readonly name: string;
  readonly options: RuntimeOptions;
  readonly streams: readonly PlannedStream[];
  /** Streams that are asked for at the same time. Default: all of them. */
  readonly atOnce?: number;
}

export interface DrillPartOptions {
  readonly watch: ProcessWatch;
  readonly signal: AbortSignal;
  /** Called with how many streams of the part have ended. */
  readonly onEnded: (ended: number) => void;
}

/** What became of a part. */
export interface DrillPartOutcome {
  readonly name: string;
  readonly streams: readonly StreamOutcome[];
  /** When all streams had ended. */
  readonly metrics: RuntimeMetrics;
}

export interface StreamOutcome {
  readonly stream: PlannedStream;
  /** How it ended for its consumer; undefined when it did not. */
  readonly endedAs: string | undefined;
  /** Tokens that its consumer saw. */
  readonly tokens: number;
  /** What is wrong with it; undefined when nothing is. */
  readonly violation: string | undefined;
}

const lookEveryMilliseconds = 200;
/** Streams end all the time; when none does for so long, those that are left have stalled. */
const stallMilliseconds = 60_000;
/** Answers of a worker after which one whose consumer does not read certainly waits for room. */
const answersUntilFull = 50;

/** Asks for the streams of a part, as many at once as it says, waits until they have ended, and judges them. */
export async function runDrillPart(
  part: DrillPart,
  { watch, signal, onEnded }: DrillPartOptions,
): Promise<DrillPartOutcome> {
  const reports = new Map<string, GenerationReport[]>(
    part.streams.map(({ name }) => [name, []] as const),
  );
  const { createRuntime } = await needsRuntime(() => import("@streamgauge/runtime"));
  await using runtime = await createRuntime({
    ...part.options,
    maxQueue: Infinity,
    observers: [{ generationEnded: (report) => reports.get(report.clientId)?.push(report) }],
  });
  const untilMade = async ({ name }: PlannedStream): Promise<void> => {
    while (reports.get(name)?.length === 0) await nextTurn();
  };
  const threads = watch.threads;
  const kill = async (): Promise<void> => {
    for (let answer = 0; answer < answersUntilFull; answer++) await runtime.memory();
    await Promise.all(watch.threads.map((thread) => thread.terminate()));
  };
  if (threads.length < (part.options.workers ?? 1)) throw new Error("The watch began too late.");
  const observations = new Map<string, Observation | Error>();
  const waiting = part.streams.values();
  const readOneByOne = async (): Promise<void> => {
    for (const stream of waiting) {
      const reading = readStream(runtime, stream, { kill, untilMade: () => untilMade(stream) });
      observations.set(stream.name, await reading.catch(asError));
    }
  };
  for (let reader = 0; reader < (part.atOnce ?? part.streams.length); reader++) void readOneByOne();
  await untilEnded(part, runtime, reports, observations, { watch, signal, onEnded });
  await untilReplaced(runtime, part, signal);
  const metrics = runtime.metrics();
  const streams = part.streams.map((stream): StreamOutcome => {
    const observation = observations.get(stream.name);
    if (observation instanceof Error) {
      const violation = `its consumer got an error that is not one of ours: ${observation.message}`;
      return { stream, endedAs: "another error", tokens: 0, violation };
    }
    if (observation === undefined) {
      const violation = "it never ended for its consumer";
      return { stream, endedAs: undefined, tokens: 0, violation };
    }
    const { end, seen } = observation;
    const violation = judge(stream, observation, reports.get(stream.name) ?? [], part);
    return { stream, endedAs: nameOfEnd(end), tokens: seen.length, violation };
  });
  return { name: part.name, streams, metrics };
}

/** Ends early when they are interrupted, or stall. */
async function untilEnded(
  { streams }: DrillPart,
  runtime: Runtime,
  reports: ReadonlyMap<string, readonly GenerationReport[]>,
  observations: ReadonlyMap<string, unknown>,
  { signal, onEnded }: DrillPartOptions,
): Promise<void> {
  const countEnded = (): number =>
    streams.filter(({ name }) => observations.has(name) && reports.get(name)?.length !== 0).length;
  let ended = 0;
  let changedAt = performance.now();
  while (!signal.aborted && ended < streams.length) {
    await delay(lookEveryMilliseconds);
    // Streams that were dropped end when they are garbage.
    collectGarbage();
    const now = countEnded();
    if (now > ended) changedAt = performance.now();
    else if (performance.now() - changedAt > stallMilliseconds) break;
    ended = now;
    onEnded(ended);
  }
  if (ended < streams.length) await runtime.close().catch(() => undefined);
}

/** A lost worker's place is taken after its stream has ended. */
async function untilReplaced(
  runtime: Runtime,
  { options }: DrillPart,
  signal: AbortSignal,
): Promise<void> {
  const startedAt = performance.now();
  const isWhole = (): boolean => runtime.metrics().workers.ready === (options.workers ?? 1);
  while (!isWhole() && !signal.aborted && performance.now() - startedAt < stallMilliseconds) {
    await delay(10);
  }
}

function asError(error: unknown): Error {
  if (error instanceof Error && !isStreamgaugeError(error)) return error;
  return new Error(messageOf(error));
}
