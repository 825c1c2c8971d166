import { Queue, type Job } from "bullmq";
import { StreamgaugeError } from "@streamgauge/core";
import type { PartJob } from "../messages/part-job.js";
import type { ShardJob } from "../messages/shard-job.js";
import type { Redis } from "../redis/connection.js";
import { addName, expirySeconds, queueOf, renewQueue, type FleetKeys } from "../redis/keys.js";

/** Tries of a part whose process or machine fails, before the run ends with the reason. */
const attempts = 5;

/** How often a job that vanished, or was left behind too often, is asked for once more. */
const mostReturns = 50;

/** What an agent is asked for. */
type Asked = PartJob | ShardJob;

/** BullMQ's log of what happened; nothing here reads it. */
const mostEvents = 1000;

/** The jobs of a class of machines, as long as somebody waits for them. */
export class PartJobs {
  readonly #redis: Redis;
  readonly #keys: FleetKeys;
  readonly #name: string;
  readonly #queue: Queue;
  readonly #asked = new Map<string, Asked>();
  readonly #returns = new Map<string, number>();

  constructor(redis: Redis, keys: FleetKeys, machineClass: string) {
    this.#redis = redis;
    this.#keys = keys;
    this.#name = queueOf(machineClass);
    this.#queue = new Queue(this.#name, {
      connection: redis,
      prefix: keys.queuePrefix,
      streams: { events: { maxLen: mostEvents } },
      defaultJobOptions: {
        attempts,
        removeOnComplete: { age: expirySeconds.part, count: 10_000 },
        removeOnFail: { age: expirySeconds.part, count: 10_000 },
      },
    });
    // Whoever waits for an answer hears of it; without a listener the process would end.
    this.#queue.on("error", () => undefined);
  }

  /** Asks for a part; one that is asked for already stays as it is. */
  async ask(part: string, job: Asked): Promise<void> {
    this.#asked.set(part, job);
    await addName(this.#redis, this.#keys.queues, this.#name);
    await this.#ensure(part, job, "first");
  }

  /**
   * Looks for jobs that were lost, and asks for them again; lets those that are waited for expire later.
   *
   * @throws StreamgaugeError `PART_FAILED` where one failed for good
   */
  async check(): Promise<void> {
    for (const [part, job] of this.#asked) await this.#ensure(part, job, "again");
    await renewQueue(this.#redis, this.#keys, this.#name, [...this.#asked.keys()]);
  }

  /** What was measured is damaged, and nobody has it: it has to be measured once more. */
  async askAgain(part: string, job: Asked): Promise<void> {
    this.#asked.set(part, job);
    await this.#remove(part);
    await this.#return(part, job, "what was measured was damaged");
  }

  /** Why a job failed for good; undefined where it did not. */
  async failureOf(part: string): Promise<string | undefined> {
    const found = (await this.#queue.getJob(part)) as Job | undefined;
    if (found === undefined || (await found.getState()) !== "failed") return undefined;
    return found.failedReason ?? "nobody said why";
  }

  /** Nobody waits for it any more; one that is being measured is left alone. */
  async forget(part: string): Promise<void> {
    this.#asked.delete(part);
    await this.#remove(part);
  }

  /** Takes the jobs away that nobody has begun; for a run that ends early. */
  async withdraw(): Promise<void> {
    for (const part of this.#asked.keys()) await this.#remove(part);
    this.#asked.clear();
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  async #ensure(part: string, job: Asked, when: "first" | "again"): Promise<void> {
    const found = (await this.#queue.getJob(part)) as Job | undefined;
    if (found === undefined) {
      if (when === "first") await this.#add(part, job);
      else await this.#return(part, job, "its job vanished from Redis");
      return;
    }
    const state = await found.getState();
    if (state === "unknown") return await this.#return(part, job, "its job vanished from Redis");
    if (state === "completed") {
      // What it measured counts by its manifest alone.
      if ((await this.#redis.exists(this.#keys.manifest(part))) === 1) return;
      await this.#remove(part);
      return await this.#return(part, job, "what was measured vanished from Redis");
    }
    if (state !== "failed") return;
    await this.#remove(part);
    const reason = found.failedReason ?? "nobody said why";
    // It was begun by a coordinator that is gone, and may do better now.
    if (when === "first") return await this.#add(part, job);
    if (!/stalled/i.test(reason)) throw failed(part, reason);
    await this.#return(part, job, reason);
  }

  async #return(part: string, job: Asked, why: string): Promise<void> {
    const returns = (this.#returns.get(part) ?? 0) + 1;
    this.#returns.set(part, returns);
    if (returns > mostReturns) throw failed(part, `${why}, ${returns} times`);
    await this.#add(part, job);
  }

  async #add(part: string, job: Asked): Promise<void> {
    await this.#queue.add("part", job, { jobId: part });
    await renewQueue(this.#redis, this.#keys, this.#name, [part]);
  }

  /** One that an agent has locked stays; it is removed when it is over. */
  async #remove(part: string): Promise<void> {
    await this.#queue.remove(part).catch(() => undefined);
  }
}

function failed(part: string, reason: string): StreamgaugeError {
  return new StreamgaugeError(
    "PART_FAILED",
    `The part ${part} could not be measured: ${reason} What was measured is kept: mend it, and run ` +
      `the bench again with --fleet and --resume.`,
  );
}
