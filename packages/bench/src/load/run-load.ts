import { systemClock, type Clock } from "../plan/clock.js";
import type { FoundRate, LoadRecord, LoadStep, Schedule } from "../record/index.js";
import { defaultOutputFolder } from "../run/record-file.js";
import { waitUntil, type WaitUntil } from "../scenarios/wait-until.js";
import { findRate } from "./find-rate.js";
import { LoadJournal } from "./load-journal.js";
import {
  planLoad,
  schedulesOf,
  searchOf,
  searchSchedule,
  type LoadPlan,
  type LoadPlanOptions,
} from "./load-plan.js";
import { offerHere } from "./offer-here.js";
import type { TargetPlan } from "./open-target.js";
import { recordSchedule } from "./schedule.js";
import type { LoadProgress, OpenOfferer, StepOfferer } from "./step-offerer.js";
import { judgeStep, searchVerdict } from "./step-verdict.js";

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
  /** Sends the requests. Default: this process does. */
  readonly openOfferer?: OpenOfferer;
}

/** A load that is over. */
export interface LoadOutcome {
  readonly record: LoadRecord;
  /** Of its file. */
  readonly path: string;
}

/**
 * Offers a load to an endpoint or a generator, and writes a record with raw samples. The first signal
 * ends it: what is in flight is stopped, and what is done is kept.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for options that are none, and as `openTarget`; what other
 *   machines throw, where they send. A request that fails is counted, and never thrown
 */
export async function runLoad(options: LoadOptions): Promise<LoadOutcome> {
  const plan = planLoad(options);
  const startedAt = new Date().toISOString();
  const runId = startedAt.replaceAll(":", "-");
  const { signal, openOfferer = offerHere, onProgress: report = () => undefined } = options;
  const { clock = systemClock, waitUntil: wait = waitUntil, target } = options;
  const given = { runId, target, signal, report, clock, waitUntil: wait };
  const offerer = await openOfferer(plan, given);
  try {
    const folder = options.outputFolder ?? defaultOutputFolder(runId);
    const journal = await LoadJournal.create(folder, {
      plan,
      target: offerer.target,
      startedAt,
      runId,
    });
    const steps = new Steps(plan, { journal, offerer, options });
    let foundRate: FoundRate | null;
    try {
      foundRate = await steps.run();
    } catch (error) {
      // The steps before are whole.
      await journal.conclude("interrupted", null);
      throw error;
    }
    const isInterrupted =
      signal?.aborted === true &&
      (foundRate === null ? !steps.isWhole : foundRate.conclusion === "interrupted");
    const record = await journal.conclude(isInterrupted ? "interrupted" : "complete", foundRate);
    return { record, path: journal.path };
  } finally {
    await offerer.close();
  }
}

/** The steps of a load, one after the other. */
class Steps {
  readonly #plan: LoadPlan;
  readonly #journal: LoadJournal;
  readonly #offerer: StepOfferer;
  readonly #options: LoadOptions;
  /** Whether every planned step ran to its end. */
  isWhole = false;

  constructor(
    plan: LoadPlan,
    {
      journal,
      offerer,
      options,
    }: {
      readonly journal: LoadJournal;
      readonly offerer: StepOfferer;
      readonly options: LoadOptions;
    },
  ) {
    this.#plan = plan;
    this.#journal = journal;
    this.#offerer = offerer;
    this.#options = options;
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
    const number = this.#journal.record.steps.length;
    if (number > 0) await this.#pause();
    if (this.#options.signal?.aborted === true) return interruptedBefore(schedule);
    const offered = await this.#offerer.offer({ step: number, schedule });
    if (offered === undefined) return interruptedBefore(schedule);
    const { status, stages, samples, clients } = offered;
    const step = {
      schedule: recordSchedule(schedule),
      status,
      verdict: judgeStep(this.#plan.objective, status, stages),
      stages,
      ...(clients !== undefined && { clients }),
    };
    await this.#journal.addStep(step, samples);
    return step;
  }

  async #pause(): Promise<void> {
    const { pauseSeconds = 1, signal, waitUntil: wait = waitUntil } = this.#options;
    const { clock = systemClock } = this.#options;
    await wait(clock.nowNanoseconds() + pauseSeconds * 1e9, clock, signal);
  }
}

/** A step of which nothing was kept; no record has it. */
function interruptedBefore(schedule: Schedule): Omit<LoadStep, "shards" | "rawSamples"> {
  return { schedule: recordSchedule(schedule), status: "interrupted", verdict: null, stages: [] };
}
