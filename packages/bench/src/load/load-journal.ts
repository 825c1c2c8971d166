import { join, resolve } from "node:path";
import {
  loadDefinitions,
  loadRecordSchema,
  loadRecordVersion,
  type FoundRate,
  type LoadRecord,
  type LoadStep,
  type LoadTarget,
} from "../record/index.js";
import { watchEnvironment, type EnvironmentWatch } from "../run/environment.js";
import { RecordFile, replaceFile } from "../run/record-file.js";
import { recordFileNames } from "../run/stored-record.js";
import { lateAfterNanoseconds, type LoadPlan } from "./load-plan.js";
import { recordMix } from "./request-mix.js";

/** Keeps the record of a load while it grows, and saves it after each step. */
export class LoadJournal {
  readonly #files: RecordFile;
  readonly #watch: EnvironmentWatch;
  #record: LoadRecord;
  /** Of the record's file. */
  readonly path: string;

  private constructor(
    { files, path }: { readonly files: RecordFile; readonly path: string },
    watch: EnvironmentWatch,
    record: LoadRecord,
  ) {
    this.#files = files;
    this.path = path;
    this.#watch = watch;
    this.#record = record;
  }

  /**
   * Begins a record, and saves it.
   *
   * @throws StreamgaugeError `INVALID_OPTION` where the folder cannot be made
   */
  static async create(
    folder: string,
    {
      plan,
      target,
      startedAt,
      runId,
    }: {
      readonly plan: LoadPlan;
      readonly target: LoadTarget;
      /** ISO 8601. */
      readonly startedAt: string;
      readonly runId: string;
    },
  ): Promise<LoadJournal> {
    const files = await RecordFile.create(folder);
    const path = join(resolve(folder), recordFileNames.plain);
    const watch = await watchEnvironment();
    const journal = new LoadJournal({ files, path }, watch, {
      schema: loadRecordSchema,
      version: loadRecordVersion,
      runId,
      status: "running",
      seed: plan.seed,
      startedAt,
      endedAt: null,
      environment: watch.environment,
      target,
      requests: recordMix(plan.mix),
      objective: plan.objective,
      lateAfterNanoseconds,
      maxConcurrency: plan.maxConcurrency,
      timeoutSeconds: plan.timeoutSeconds,
      steps: [],
      foundRate: null,
      definitions: loadDefinitions,
    });
    await journal.#save();
    return journal;
  }

  /** What there is so far. */
  get record(): LoadRecord {
    return this.#record;
  }

  /** Adds a step with the raw samples of its shards, and saves both. */
  async addStep(
    step: Omit<LoadStep, "shards" | "rawSamples">,
    samples: readonly Uint8Array[],
  ): Promise<void> {
    const number = this.#record.steps.length + 1;
    const rawSamples = [];
    for (const [shard, bytes] of samples.entries()) {
      const name = `step-${number}${samples.length === 1 ? "" : `-shard-${shard}`}`;
      rawSamples.push(await this.#files.saveRawSamples(name, bytes));
    }
    await this.#watch.sample();
    const { steps } = this.#record;
    this.#record = {
      ...this.#record,
      steps: [...steps, { ...step, shards: samples.length, rawSamples }],
    };
    await this.#save();
  }

  /** Ends the record, and saves it. */
  async conclude(
    status: "complete" | "interrupted",
    foundRate: FoundRate | null,
  ): Promise<LoadRecord> {
    this.#record = {
      ...this.#record,
      status,
      foundRate,
      endedAt: new Date().toISOString(),
      environment: await this.#watch.conclude(),
    };
    await this.#save();
    return this.#record;
  }

  async #save(): Promise<void> {
    await replaceFile(this.path, `${JSON.stringify(this.#record)}\n`);
  }
}
