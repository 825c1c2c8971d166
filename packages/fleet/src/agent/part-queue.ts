import { randomUUID } from "node:crypto";
import { UnrecoverableError, Worker, type Job } from "bullmq";
import { messageOf } from "@streamgauge/core";
import type { PartResult } from "../messages/part-job.js";
import type { Redis } from "../redis/connection.js";
import { queueOf, type FleetKeys } from "../redis/keys.js";
import type { AgentTimings } from "./timings.js";

/**
 * More than a part is ever left behind: it is the coordinator that gives up, by what failed. BullMQ's own
 * default of one would fail a part whose agent died twice.
 */
const mostStalls = 20;

/** A part that this agent has taken, until it says what became of it. */
export interface TakenPart {
  /** Its name. */
  readonly part: string;
  /** What it is asked for; anything, until it is checked. */
  readonly job: unknown;
  /** Keeps it until the handle is closed; others take it soon after. */
  keep(): { close(): void };
  complete(result: PartResult): Promise<void>;
  /** Nothing came of it, and it was nobody's fault. */
  giveBack(): Promise<void>;
  /** For another try, here or elsewhere, as often as the job allows. */
  retry(reason: string): Promise<void>;
  /** For good: nobody else would do better. */
  fail(reason: string): Promise<void>;
}

/**
 * The parts of a class of machines, one at a time.
 *
 * It asks for the next part instead of waiting in Redis for one: BullMQ's waiting connection was seen to
 * wait for ever after the server had gone away and come back (taskforcesh/bullmq#3185, #4585).
 */
export class PartQueue {
  readonly #worker: Worker;
  readonly #lockMilliseconds: number;

  constructor(redis: Redis, keys: FleetKeys, machineClass: string, timings: AgentTimings) {
    this.#lockMilliseconds = timings.lockMilliseconds;
    this.#worker = new Worker(queueOf(machineClass), null, {
      connection: redis,
      prefix: keys.queuePrefix,
      autorun: false,
      lockDuration: timings.lockMilliseconds,
      stalledInterval: timings.stalledMilliseconds,
      maxStalledCount: mostStalls,
    });
    // Whoever waits for an answer hears of it; without a listener the process would end.
    this.#worker.on("error", () => undefined);
  }

  /** Puts parts back whose agent is gone; to be called again and again. */
  async recover(): Promise<void> {
    await this.#worker.startStalledCheckTimer();
  }

  /** Takes the next part; undefined where there is none. */
  async next(): Promise<TakenPart | undefined> {
    const token = randomUUID();
    const job = (await this.#worker.getNextJob(token, { block: false })) as Job | undefined;
    return job === undefined ? undefined : this.#taken(job, token);
  }

  #taken(job: Job, token: string): TakenPart {
    return {
      part: job.id ?? "",
      job: job.data as unknown,
      keep: () => this.#keep(job, token),
      complete: async (result) => void (await orLost(job.moveToCompleted(result, token, false))),
      giveBack: async () => void (await orLost(job.moveToWait(token))),
      retry: async (reason) =>
        void (await orLost(job.moveToFailed(new Error(reason), token, false))),
      fail: async (reason) =>
        void (await orLost(job.moveToFailed(new UnrecoverableError(reason), token, false))),
    };
  }

  #keep(job: Job, token: string): { close(): void } {
    const renew = (): void => {
      // A lock that is lost is no reason to stop: the first part that is committed counts.
      job.extendLock(token, this.#lockMilliseconds).catch(() => undefined);
    };
    const timer = setInterval(renew, this.#lockMilliseconds / 3);
    return { close: () => clearInterval(timer) };
  }

  /** Does not wait for a server that does not answer. */
  async close(): Promise<void> {
    await this.#worker.close(true).catch(() => undefined);
  }
}

/** A part that others have taken meanwhile is theirs to report on. */
async function orLost<T>(moved: Promise<T>): Promise<T | undefined> {
  try {
    return await moved;
  } catch (error) {
    if (/lock|not in the active state|Missing key/i.test(messageOf(error))) return undefined;
    throw error;
  }
}
