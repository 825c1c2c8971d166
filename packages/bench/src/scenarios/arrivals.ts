import { setMaxListeners } from "node:events";
import type { ArrivalsMeasurement } from "../record/load.js";
import type { Work } from "../measure/measured-run.js";
import type { Treatment } from "../record/index.js";
import { measurementsOn, pequod } from "../plan/build-stage.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import {
  defaultSecondsPerToken,
  modeOf,
  workOf,
  type MeasurementOptions,
} from "../measure/measurement-work.js";
import { poissonArrivals } from "./poisson-arrivals.js";
import type { MeasurementContext, MeasurementPlan, Scenario } from "../plan/stage.js";
import { summarizeLatencies } from "./summarize-latencies.js";
import { takeTokens } from "./take-tokens.js";
import { aloneGenerations, timeAlone } from "./time-alone.js";
import { waitUntil, type WaitUntil } from "./wait-until.js";

/** What {@link arrivalsMeasurement} is told. */
export interface ArrivalsOptions extends MeasurementOptions {
  readonly treatment: Treatment;
  /** Tokens of each generation. */
  readonly tokens: number;
  /** Above 0; 1 is all that the workers can do, and from there on the queue grows without end. */
  readonly offeredLoad: number;
  /** Arrivals. */
  readonly generations: number;
  /** Default: timers. */
  readonly waitUntil?: WaitUntil;
}

/**
 * Latency under an open load: generations are asked for when they are due,
 * whether or not earlier ones are done, as users do who know nothing of one
 * another. With the moments `due`, `called`, `begun` (by the engine) and
 * `settled` of one generation,
 *
 * ```text
 * rate             = offered load × workers / median time of one generation alone
 * end to end       = settled − due = call lateness + queueing + service time
 * first token      = first token delivered − due
 * call lateness    = called − due
 * service time     = settled − begun
 * ```
 *
 * A closed loop, which asks only when it has been answered, sees the service
 * time: a stall costs it one sample, and everybody who waits meanwhile is
 * missing from its percentiles ("coordinated omission", Tene 2013).
 */
export function arrivalsMeasurement(options: ArrivalsOptions): MeasurementPlan {
  const { treatment, tokens, offeredLoad, generations } = options;
  const aloneSeconds = tokens * (options.expectedSecondsPerToken ?? defaultSecondsPerToken);
  return {
    id: options.id ?? `arrivals-${treatment}-${tokens}-load-${offeredLoad}`,
    expectedSeconds: aloneSeconds * (aloneGenerations + generations * Math.max(1, 1 / offeredLoad)),
    async measure(generator, context) {
      const measured = await measureArrivals(generator, options, context);
      return measured === undefined ? {} : { arrivals: [measured] };
    },
  };
}

async function measureArrivals(
  generator: ScenarioGenerator,
  options: ArrivalsOptions,
  context: MeasurementContext,
): Promise<ArrivalsMeasurement | undefined> {
  const { treatment, tokens, offeredLoad, generations } = options;
  const { clock, plan, seed } = context;
  const work = workOf(context, tokens);
  const workers = plan.workers ?? 1;
  const aloneNanoseconds = await timeAlone(generator, treatment, work, context);
  if (aloneNanoseconds === undefined) return undefined;
  const arrivalsPerSecond = (offeredLoad * workers) / (aloneNanoseconds / 1e9);

  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(context.signal ? [context.signal] : [])]);
  // Every generation that runs listens to it.
  setMaxListeners(0, signal);
  const stoppable: Work = { ...work, config: { ...work.config, signal } };
  const arrivals = poissonArrivals(seed, arrivalsPerSecond);
  const startNanoseconds = clock.nowNanoseconds();
  const firstDueNanoseconds = startNanoseconds + arrivals.next().value;
  const running: Promise<Served | undefined>[] = [];
  let dueNanoseconds = firstDueNanoseconds;
  for (let arrival = 0; arrival < generations; arrival += 1) {
    await (options.waitUntil ?? waitUntil)(dueNanoseconds, clock, signal);
    if (signal.aborted) break;
    const one = serve(generator, treatment, stoppable, { clock, dueNanoseconds });
    // What one throws is thrown below, when the others have ended.
    one.catch(() => failed.abort());
    running.push(one);
    dueNanoseconds = startNanoseconds + arrivals.next().value;
  }
  await Promise.allSettled(running);
  const served = (await Promise.all(running)).filter((one) => one !== undefined);
  if (served.length === 0) return undefined;

  const lastNanoseconds = Math.max(...served.map(({ settledNanoseconds }) => settledNanoseconds));
  const durationNanoseconds = Math.round(lastNanoseconds - firstDueNanoseconds);
  const firstTokens = served
    .map(({ timeToFirstTokenNanoseconds }) => timeToFirstTokenNanoseconds)
    .filter((nanoseconds) => nanoseconds !== undefined);
  return {
    ...modeOf(plan, treatment, tokens),
    workers,
    aloneNanoseconds: Math.round(aloneNanoseconds),
    arrivalsPerSecond,
    offeredLoad,
    generations: served.length,
    durationNanoseconds,
    completionsPerSecond: served.length / (durationNanoseconds / 1e9),
    timeToFirstToken: firstTokens.length === 0 ? null : summarizeLatencies(firstTokens),
    endToEnd: summarizeLatencies(served.map((one) => one.endToEndNanoseconds)),
    serviceTime: summarizeLatencies(served.map((one) => one.serviceNanoseconds)),
    callLateness: summarizeLatencies(served.map((one) => one.callLatenessNanoseconds)),
  };
}

/** One generation that ran to its end. */
interface Served {
  readonly settledNanoseconds: number;
  readonly timeToFirstTokenNanoseconds: number | undefined;
  readonly endToEndNanoseconds: number;
  readonly serviceNanoseconds: number;
  readonly callLatenessNanoseconds: number;
}

/** Runs one generation; undefined when it was aborted. */
async function serve(
  generator: ScenarioGenerator,
  treatment: Treatment,
  work: Work,
  { clock, dueNanoseconds }: Pick<MeasurementContext, "clock"> & { dueNanoseconds: number },
): Promise<Served | undefined> {
  let firstNanoseconds: number | undefined;
  const calledNanoseconds = clock.nowNanoseconds();
  const result = await takeTokens(generator, treatment, work, () => {
    firstNanoseconds ??= clock.nowNanoseconds();
  });
  const settledNanoseconds = clock.nowNanoseconds();
  if (result.finishReason === "aborted") return undefined;
  const begunNanoseconds = calledNanoseconds + result.timings.queueMilliseconds * 1e6;
  return {
    settledNanoseconds,
    timeToFirstTokenNanoseconds:
      firstNanoseconds === undefined ? undefined : firstNanoseconds - dueNanoseconds,
    endToEndNanoseconds: settledNanoseconds - dueNanoseconds,
    serviceNanoseconds: settledNanoseconds - begunNanoseconds,
    callLatenessNanoseconds: calledNanoseconds - dueNanoseconds,
  };
}

/** The embedded model under several loads. */
export const arrivals: Scenario = {
  name: "arrivals",
  description: "requests at a set rate: latency from the due moment, waiting included",
  stages: (size) => {
    const loads = size === "quick" ? [0.5, 0.8] : [0.3, 0.5, 0.7, 0.9];
    const generations = { quick: 60, standard: 120, full: 60 }[size];
    return [
      measurementsOn(
        pequod("pooled"),
        loads.flatMap((offeredLoad) =>
          (["generate", "stream", "streamAsync"] as const).map((treatment) =>
            arrivalsMeasurement({ treatment, tokens: 50, offeredLoad, generations }),
          ),
        ),
      ),
    ];
  },
};
