import { setTimeout as pause } from "node:timers/promises";
import type { LoadTarget, ShardCounts } from "@streamgauge/bench/load";
import { StreamgaugeError } from "@streamgauge/core";
import { readMessage } from "../messages/read-message.js";
import { attemptName, type ShardJob } from "../messages/shard-job.js";
import {
  countsField,
  isStopWord,
  shardNotice,
  startOf,
  waiting,
  type ShardNotice,
} from "../messages/shard-notice.js";
import { expirySeconds } from "../redis/keys.js";
import type { MeasuringAgent } from "./measuring-agent.js";

/** Less than the time between the word and the beginning. */
const lookMilliseconds = 200;

/** While it runs: the step is given up where nobody renews it, and can be told to stop. */
const runningLookMilliseconds = 500;

/** Where the agents of a step wait for one another. */
export class StartLine {
  readonly #agent: MeasuringAgent;
  readonly #job: ShardJob;
  readonly #signal: AbortSignal;

  /** @param signal ends every wait */
  constructor(agent: MeasuringAgent, job: ShardJob, signal: AbortSignal) {
    this.#agent = agent;
    this.#job = job;
    this.#signal = signal;
  }

  /**
   * Says that this agent is ready.
   *
   * @throws StreamgaugeError `STEP_VOID` where another agent has the shard
   */
  async ready(target: LoadTarget): Promise<void> {
    const { session } = this.#agent.notice;
    const notice: ShardNotice = { kind: "ready", session, target };
    const { keys, redis } = this.#agent;
    const key = keys.shards(attemptName(this.#job));
    const field = String(this.#job.shard);
    await redis()
      .multi()
      .hsetnx(key, field, JSON.stringify(notice))
      .expire(key, expirySeconds.run)
      .exec();
    const text = (await redis().hget(key, field)) ?? "";
    const first = readMessage(shardNotice, text, "what an agent says of a shard");
    // An answer of the server can be lost, and the word be given twice.
    if (first.kind !== "ready" || first.session !== session) {
      throw stepVoid("another agent has its shard");
    }
  }

  /** Says that nothing comes of the shard. */
  async failed(reason: string, isPassing: boolean): Promise<void> {
    const { keys, redis } = this.#agent;
    const key = keys.shards(attemptName(this.#job));
    const notice: ShardNotice = { kind: "failed", reason: reason.slice(0, 5000), isPassing };
    await redis()
      .multi()
      .hset(key, String(this.#job.shard), JSON.stringify(notice))
      .expire(key, expirySeconds.run)
      .exec();
  }

  /**
   * Waits for the word to begin.
   *
   * @returns microseconds on the server's clock; undefined after an abort
   * @throws StreamgaugeError `STEP_VOID` where the step was given up
   */
  async word(): Promise<bigint | undefined> {
    while (!this.#signal.aborted) {
      // A server that is away says nothing of the step.
      const text = await this.#look().catch(() => waiting);
      if (text === null) throw stepVoid("it was given up before it began");
      if (text !== waiting) {
        const word = startOf(text);
        if (word === undefined) throw stepVoid("its beginning is no time");
        return word;
      }
      await this.#pause(lookMilliseconds);
    }
    return undefined;
  }

  /**
   * Watches a step that runs, and says how many requests were bad so far.
   *
   * @param counts undefined where nobody asks for them
   * @param over aborted once the requests have ended
   * @returns how the coordinator ended it; undefined where it did not
   */
  async watch(
    counts: () => ShardCounts | undefined,
    over: AbortSignal,
  ): Promise<"given up" | "stopped" | undefined> {
    const signal = AbortSignal.any([this.#signal, over]);
    let said: ShardCounts | undefined;
    while (!signal.aborted) {
      await pause(runningLookMilliseconds, undefined, { signal }).catch(() => undefined);
      // A server that is away says nothing of the step.
      const text = await this.#look().catch(() => undefined);
      if (signal.aborted) return undefined;
      if (text === null) return "given up";
      if (text !== undefined && isStopWord(text)) return "stopped";
      const now = counts();
      if (text === undefined || now === said || now === undefined) continue;
      said = now;
      await this.#say(now).catch(() => undefined);
    }
    return undefined;
  }

  async #say(counts: ShardCounts): Promise<void> {
    const { keys, redis } = this.#agent;
    const key = keys.shards(attemptName(this.#job));
    await redis()
      .multi()
      .hset(key, countsField(this.#job.shard), JSON.stringify(counts))
      .expire(key, expirySeconds.run)
      .exec();
  }

  async #look(): Promise<string | null> {
    const { keys, redis } = this.#agent;
    return await redis().get(keys.start(attemptName(this.#job)));
  }

  async #pause(milliseconds: number): Promise<void> {
    await pause(milliseconds, undefined, { signal: this.#signal }).catch(() => undefined);
  }
}

/** For a step that nobody waits for any more. */
export function stepVoid(why: string): StreamgaugeError {
  return new StreamgaugeError(
    "STEP_VOID",
    `The step of the load does not count here: ${why}. The coordinator offers it again if it can.`,
  );
}
