import type { Schedule } from "../record/index.js";
import { lateAfterNanoseconds, type LoadPlan } from "./load-plan.js";
import { LoadSamplesWriter } from "./load-samples.js";
import { openTarget, type OpenTarget } from "./open-target.js";
import { runShard } from "./run-shard.js";
import { countArrivals, describeSchedule } from "./schedule.js";
import type { AskedStep, OfferedStep, OffererOptions, OpenOfferer } from "./step-offerer.js";
import { earlyEndOf } from "./step-verdict.js";

/** Between opening all and the beginning of a schedule, and for counting each of its arrivals. */
const leadNanoseconds = 50e6;
const leadNanosecondsPerArrival = 1e3;

/** Sends the requests of a load from this process, as one shard. */
export const offerHere: OpenOfferer = async (plan, options) => {
  const { mix, seed } = plan;
  const target = await openTarget(options.target, { mix, seed, signal: options.signal });
  return {
    target: target.recorded,
    offer: async (asked) => await offer(asked, { plan, target, options }),
    close: () => target.close(),
  };
};

async function offer(
  { step, schedule }: AskedStep,
  {
    plan,
    target,
    options,
  }: {
    readonly plan: LoadPlan;
    readonly target: OpenTarget;
    readonly options: OffererOptions;
  },
): Promise<OfferedStep> {
  const { objective, mix, maxConcurrency, timeoutSeconds } = plan;
  const { runId, signal, clock, waitUntil } = options;
  const writer = new LoadSamplesWriter({ runId, step, shard: 0, of: 1 });
  const progress = progressOf(schedule, step, options);
  const { status, stages } = await runShard(
    {
      schedule,
      shard: 0,
      of: 1,
      startAtNanoseconds:
        clock.nowNanoseconds() + leadNanoseconds + progress.offered * leadNanosecondsPerArrival,
    },
    {
      generator: target.generator,
      mix,
      limits: objective?.limits ?? {},
      lateAfterNanoseconds,
      timeoutSeconds,
      maxConcurrency: maxConcurrency ?? undefined,
      signal,
      clock,
      waitUntil,
      onSent: progress.sent,
      onSample: (sample) => {
        writer.add(sample);
        progress.ended();
      },
      isDecided: earlyEndOf(plan),
    },
  );
  return { status, stages, samples: [await writer.finish()] };
}

function progressOf(
  schedule: Schedule,
  step: number,
  { report }: OffererOptions,
): { readonly offered: number; readonly sent: () => void; readonly ended: () => void } {
  const offered = countArrivals(schedule);
  const subject = `step ${step + 1}: ${describeSchedule(schedule)}`;
  let sent = 0;
  let ended = 0;
  const tell = (): void =>
    report({ subject, fractionDone: ended / offered, sent, offered, inFlight: sent - ended });
  return {
    offered,
    sent: () => {
      sent += 1;
      tell();
    },
    ended: () => {
      ended += 1;
      tell();
    },
  };
}
