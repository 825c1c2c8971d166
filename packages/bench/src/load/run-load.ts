import { systemClock, type Clock } from "../plan/clock.js";
import type { FoundRate, LoadRecord, LoadStep, Schedule } from "../record/index.js";
import { defaultOutputFolder } from "../run/record-file.js";
import { waitUntil, type WaitUntil } from "../scenarios/wait-until.js";
import { findRate } from "./find-rate.js";
import { LoadJournal } from "./load-journal.js";
import {
  lateAfterNanoseconds,
  planLoad,
  schedulesOf,
  searchOf,
  searchSchedule,
  type LoadPlan,
  type LoadPlanOptions,
} from "./load-plan.js";
import { LoadSamplesWriter } from "./load-samples.js";
import { openTarget, type TargetPlan } from "./open-target.js";
import { runShard, type LoadGenerator } from "./run-shard.js";
import { arrivalsOf, recordSchedule } from "./schedule.js";
import { isSurelyMissed, judgeStep, searchVerdict } from "./step-verdict.js";

/** What {@link runLoad} is told. */
export interface LoadOptions extends LoadPlanOptions {
  readonly target: TargetPlan;
  /** Where record.json and raw/ go. Default: `results/local/<run id>`. */
  readonly outputFolder?: string | undefined;
  /** Ends the load; what is done is kept. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
  /** Between two steps, for the server to come to rest. Default 1. */
  readonly pauseSeconds?: number;
  readonly clock?: Clock;
  readonly waitUntil?: WaitUntil;
}

/** Where a load is. */
export interface LoadProgress {
  /** The step. */
  readonly subject: string;
  /** Of the step, 0 to 1. */
  readonly fractionDone: number;
  readonly sent: number;
  /** Arrivals of the step. */
  readonly offered: number;
  readonly inFlight: number;
}

/** A load that is over. */
export interface LoadOutcome {
  readonly record: LoadRecord;
  /** Of its file. */
  readonly path: string;
}

/** Between opening all and the beginning of a schedule, and for counting each of its arrivals. */
const leadNanoseconds = 50e6;
const leadNanosecondsPerArrival = 1e3;

/**
 * Offers a load to an endpoint or a generator on this machine, and writes a record with raw samples.
 * The first signal ends it: what is in flight is stopped, and what is done is kept.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for options that are none, and as `openTarget`. A request
 *   that fails is counted, and never thrown
 */
export async function runLoad(options: LoadOptions): Promise<LoadOutcome> {
  const plan = planLoad(options);
  const { seed, mix } = plan;
  const startedAt = new Date().toISOString();
  const runId = startedAt.replaceAll(":", "-");
  const target = await openTarget(options.target, { mix, seed, signal: options.signal });
  try {
    const folder = options.outputFolder ?? defaultOutputFolder(runId);
    const journal = await LoadJournal.create(folder, {
      plan,
      target: target.recorded,
      startedAt,
      runId,
    });
    const steps = new Steps(plan, { journal, generator: target.generator, options });
    const foundRate = await steps.run();
    const isInterrupted =
      options.signal?.aborted === true &&
      (foundRate === null ? !steps.isWhole : foundRate.conclusion === "interrupted");
    const record = await journal.conclude(isInterrupted ? "interrupted" : "complete", foundRate);
    return { record, path: journal.path };
  } finally {
    await target.close();
  }
}

/** The steps of a load, one after the other. */
class Steps {
  readonly #plan: LoadPlan;
  readonly #journal: LoadJournal;
  readonly #generator: LoadGenerator;
  readonly #options: LoadOptions;
  readonly #clock: Clock;
  /** Whether every planned step ran to its end. */
  isWhole = false;

  constructor(
    plan: LoadPlan,
    {
      journal,
      generator,
      options,
    }: {
      readonly journal: LoadJournal;
      readonly generator: LoadGenerator;
      readonly options: LoadOptions;
    },
  ) {
    this.#plan = plan;
    this.#journal = journal;
    this.#generator = generator;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Returns what was found, where a rate was looked for. */
  async run(): Promise<FoundRate | null> {
    const { offer } = this.#plan;
    if (offer.kind !== "find") {
      for (const schedule of schedulesOf(this.#plan)) {
        const { status } = await this.#offer(schedule);
        if (status === "interrupted") return null;
      }
      this.isWhole = true;
      return null;
    }
    return await findRate(searchOf(offer), async (perSecond) => {
      const step = this.#journal.record.steps.length;
      return searchVerdict(
        this.#plan.objective,
        await this.#offer(searchSchedule(this.#plan, offer, { perSecond, step })),
      );
    });
  }

  async #offer(schedule: Schedule): Promise<Omit<LoadStep, "shards" | "rawSamples">> {
    const { objective, offer, mix, maxConcurrency, timeoutSeconds } = this.#plan;
    const { signal, waitUntil: wait = waitUntil } = this.#options;
    const number = this.#journal.record.steps.length;
    const clock = this.#clock;
    if (number > 0) await this.#pause();
    if (signal?.aborted === true) return interruptedBefore(schedule);
    const { runId } = this.#journal.record;
    const writer = new LoadSamplesWriter({ runId, step: number, shard: 0, of: 1 });
    const progress = this.#progressOf(schedule, number);
    const { status, stages } = await runShard(
      {
        schedule,
        shard: 0,
        of: 1,
        startAtNanoseconds:
          clock.nowNanoseconds() + leadNanoseconds + progress.offered * leadNanosecondsPerArrival,
      },
      {
        generator: this.#generator,
        mix,
        limits: objective?.limits ?? {},
        lateAfterNanoseconds,
        timeoutSeconds,
        maxConcurrency: maxConcurrency ?? undefined,
        signal,
        clock,
        waitUntil: wait,
        onSent: progress.sent,
        onSample: (sample) => {
          writer.add(sample);
          progress.ended();
        },
        isDecided:
          objective !== null && offer.kind === "find"
            ? (tallies) => isSurelyMissed(objective, tallies)
            : undefined,
      },
    );
    const step = {
      schedule: recordSchedule(schedule),
      status,
      verdict: judgeStep(objective, status, stages),
      stages,
    };
    await this.#journal.addStep(step, [await writer.finish()]);
    return step;
  }

  async #pause(): Promise<void> {
    const { pauseSeconds = 1, signal, waitUntil: wait = waitUntil } = this.#options;
    await wait(this.#clock.nowNanoseconds() + pauseSeconds * 1e9, this.#clock, signal);
  }

  #progressOf(
    schedule: Schedule,
    step: number,
  ): { readonly offered: number; readonly sent: () => void; readonly ended: () => void } {
    let offered = 0;
    for (const _arrival of arrivalsOf(schedule)) offered += 1;
    const subject = `step ${step + 1}: ${describeSchedule(schedule)}`;
    let sent = 0;
    let ended = 0;
    const report = (): void =>
      this.#options.onProgress?.({
        subject,
        fractionDone: ended / offered,
        sent,
        offered,
        inFlight: sent - ended,
      });
    return {
      offered,
      sent: () => {
        sent += 1;
        report();
      },
      ended: () => {
        ended += 1;
        report();
      },
    };
  }
}

/** A step of which nothing was sent; no record has it. */
function interruptedBefore(schedule: Schedule): Omit<LoadStep, "shards" | "rawSamples"> {
  return { schedule: recordSchedule(schedule), status: "interrupted", verdict: null, stages: [] };
}

/** A schedule in a few words. */
export function describeSchedule(schedule: LoadStep["schedule"] | Schedule): string {
  if (schedule.kind === "trace") return "trace";
  const [first] = schedule.stages;
  if (first === undefined) return "nothing";
  const ends = schedule.stages.map(({ toPerSecond }) => toPerSecond);
  const isOneRate = schedule.stages.length === 1 && first.fromPerSecond === first.toPerSecond;
  return isOneRate
    ? `${first.fromPerSecond} per second`
    : `${[first.fromPerSecond, ...ends].join(" to ")} per second`;
}
