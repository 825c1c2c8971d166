import type { Clock } from "../plan/clock.js";
import { consume, type Work } from "../measure/measured-run.js";
import type { MainThreadMeasurement, Treatment } from "../record/index.js";
import { TokenRecorder } from "../measure/recorder.js";
import { percentile } from "../statistics/index.js";
import { measurementsOn, pequod } from "../plan/build-stage.js";
import type { GeneratorPlan, ScenarioGenerator } from "../plan/generator-plan.js";
import {
  defaultSecondsPerToken,
  workOf,
  type MeasurementOptions,
} from "../measure/measurement-work.js";
import type { MeasurementPlan, Scenario } from "../plan/stage.js";

/** What {@link mainThreadMeasurement} is told. */
export interface MainThreadOptions extends MeasurementOptions {
  readonly treatment: Treatment;
  readonly tokens: number;
  /** One after the other. */
  readonly generations: number;
}

const periodMilliseconds = 10;

/** How free the consuming thread is while tokens are made at full speed. */
export function mainThreadMeasurement(options: MainThreadOptions): MeasurementPlan {
  const { treatment, tokens, generations } = options;
  const secondsPerToken = options.expectedSecondsPerToken ?? defaultSecondsPerToken;
  return {
    id: options.id ?? `main-thread-${treatment}-${tokens}`,
    expectedSeconds: generations * tokens * secondsPerToken,
    async measure(generator, context) {
      const { clock, plan, signal } = context;
      if (signal?.aborted === true) return {};
      const work = workOf(context, tokens);
      const size = { clock, tokens, generations };
      return {
        mainThread: [await measureMainThread(generator, plan, treatment, work, size)],
      };
    },
  };
}

/**
 * Generates at full speed and watches the calling thread meanwhile: its
 * event-loop utilisation, and how late a 10 ms timer fires on it.
 */
export async function measureMainThread(
  generator: ScenarioGenerator,
  plan: GeneratorPlan,
  treatment: Treatment,
  work: Work,
  { clock, tokens, generations }: { clock: Clock; tokens: number; generations: number },
): Promise<MainThreadMeasurement> {
  const recorder = new TokenRecorder(clock, tokens);
  const loopBefore = performance.eventLoopUtilization();
  const timer = watchTimer(clock, (fire) => {
    const handle = setTimeout(fire, periodMilliseconds);
    return () => clearTimeout(handle);
  });
  const startNanoseconds = clock.nowNanoseconds();
  try {
    for (let generation = 0; generation < generations; generation += 1) {
      recorder.reset();
      await consume(generator, treatment, work, recorder);
    }
  } finally {
    timer.stop();
  }
  const durationNanoseconds = Math.round(clock.nowNanoseconds() - startNanoseconds);
  const loop = performance.eventLoopUtilization(loopBefore);
  const { latenessNanoseconds } = timer;
  const lateness = (percent: number): number | null =>
    latenessNanoseconds.length === 0 ? null : percentile(latenessNanoseconds, percent);
  return {
    generator: plan.id,
    model: plan.model,
    host: plan.host,
    treatment,
    generations,
    tokens,
    durationNanoseconds,
    throughputTokensPerSecond: (tokens * generations) / (durationNanoseconds / 1e9),
    eventLoopUtilization: loop.utilization,
    timer: {
      periodMilliseconds,
      fires: latenessNanoseconds.length,
      expectedFires: Math.floor(durationNanoseconds / (periodMilliseconds * 1e6)),
      p50LatenessNanoseconds: lateness(50),
      p99LatenessNanoseconds: lateness(99),
      maximumLatenessNanoseconds: lateness(100),
    },
  };
}

/** A timer that is armed again each time it fires, and how late it fired each time. */
export interface WatchedTimer {
  readonly latenessNanoseconds: readonly number[];
  stop(): void;
}

/**
 * Re-arming shows every delay; `setInterval` would hide those that it skips.
 *
 * @param arm calls back once after 10 ms, and returns what cancels that
 */
export function watchTimer(clock: Clock, arm: (fire: () => void) => () => void): WatchedTimer {
  const latenessNanoseconds: number[] = [];
  let armedNanoseconds = clock.nowNanoseconds();
  const fire = (): void => {
    const now = clock.nowNanoseconds();
    // Node's timers count whole milliseconds and can fire up to one early.
    const late = now - armedNanoseconds - periodMilliseconds * 1e6;
    latenessNanoseconds.push(Math.max(0, Math.round(late)));
    armedNanoseconds = now;
    cancel = arm(fire);
  };
  let cancel = arm(fire);
  return { latenessNanoseconds, stop: () => cancel() };
}

/** The embedded model at full speed, on either host. */
export const mainThread: Scenario = {
  name: "main-thread",
  description: "how free the consuming thread is while tokens arrive at full speed",
  stages: () =>
    (["pooled", "inline"] as const).map((host) =>
      measurementsOn(
        pequod(host),
        (["generate", "stream", "streamAsync"] as const).map((treatment) =>
          mainThreadMeasurement({ treatment, tokens: 1000, generations: 1 }),
        ),
      ),
    ),
};
