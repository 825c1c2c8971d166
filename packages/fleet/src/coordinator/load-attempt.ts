import { setTimeout as pause } from "node:timers/promises";
import {
  stageSeconds,
  type LoadTarget,
  type OfferedStep,
  type ShardCounts,
  type ShardPlan,
} from "@streamgauge/bench/load";
import { invalidOption, isStreamgaugeError, StreamgaugeError } from "@streamgauge/core";
import type { AgentNotice } from "../messages/agent-notice.js";
import { mostFileBytes } from "../messages/manifest.js";
import { readMessage } from "../messages/read-message.js";
import { attemptName, shardName, type ShardJob, type ShardTarget } from "../messages/shard-job.js";
import {
  countsField,
  shardCounts,
  shardNotice,
  stopWord,
  waiting,
  type ShardNotice,
} from "../messages/shard-notice.js";
import { downloadPart, type DownloadedPart } from "../parts/download-part.js";
import { dropChunks, uploadFiles } from "../parts/upload-part.js";
import { expirySeconds } from "../redis/keys.js";
import { look, type Search } from "./find-classes.js";
import { PartJobs } from "./part-jobs.js";

/** Between the word and the beginning: every agent has to hear of it. */
const leadMicroseconds = 3_000_000n;

/** An attempt that its coordinator does not renew for so long is given up. */
const renewedMilliseconds = 10_000;

/** A step that takes longer than its schedule and the timeout of its last request is given up. */
const graceMilliseconds = 60_000;

/** Machines that are told to stop have so long to deliver what they have. */
export const deliverMilliseconds = 15_000;

/** The name of the plan among the files of an attempt. */
const planFile = "file-0";

/** What an attempt is made of. */
export interface AttemptOptions {
  readonly search: Search;
  readonly target: ShardTarget;
  readonly runId: string;
  readonly step: number;
  readonly attempt: number;
  /** One for each shard. */
  readonly agents: readonly AgentNotice[];
  readonly plan: ShardPlan;
  /** Between two looks at jobs that nobody speaks of. */
  readonly checkMilliseconds: number;
  /** After so long it is given up where not all are ready: two loads can wait for each other's agents. */
  readonly readyMilliseconds: number;
  /** Whether the rest of the step is of no use; asked with what is known of each shard. */
  readonly isDecided: ((counts: readonly ShardCounts[]) => boolean) | undefined;
}

/** What the machines delivered. */
export interface OfferedShards {
  /** In the order of the shards. */
  readonly parts: readonly DownloadedPart[];
  /** Why they were told to stop; undefined where they were not. */
  readonly stopped: Exclude<OfferedStep["status"], "complete"> | undefined;
}

/** A shard, and the class of machines that it is for. */
interface AskedShard {
  readonly name: string;
  readonly machineClass: string;
  readonly job: ShardJob;
}

/** The shards of a step, on agents that begin at the same moment. It counts whole, or not at all. */
export class LoadAttempt {
  readonly #search: Search;
  readonly #name: string;
  readonly #shards: readonly AskedShard[];
  readonly #jobs: ReadonlyMap<string, PartJobs>;
  readonly #notices = new Map<number, ShardNotice>();
  readonly #parts = new Map<number, DownloadedPart>();
  readonly #counts = new Map<number, ShardCounts>();
  readonly #isDecided: AttemptOptions["isDecided"];
  #stopped: OfferedShards["stopped"];
  readonly #checkMilliseconds: number;
  readonly #readyMilliseconds: number;
  /** The step is over by then. */
  readonly #longestMilliseconds: number;
  #checkedMilliseconds: number = performance.now();
  /** Why it is void, in a sentence. */
  reason = "";

  private constructor(
    { search, checkMilliseconds, readyMilliseconds, plan, isDecided }: AttemptOptions,
    name: string,
    shards: readonly AskedShard[],
  ) {
    this.#search = search;
    this.#checkMilliseconds = checkMilliseconds;
    this.#readyMilliseconds = readyMilliseconds;
    this.#isDecided = isDecided;
    const seconds = stageSeconds(plan.schedule).reduce((sum, each) => sum + each, 0);
    this.#longestMilliseconds = 1000 * (seconds + plan.timeoutSeconds) + graceMilliseconds;
    this.#name = name;
    this.#shards = shards;
    const classes = new Set(shards.map(({ machineClass }) => machineClass));
    const { redis, keys } = search;
    this.#jobs = new Map(
      [...classes].map((each) => [each, new PartJobs(redis, keys, each)] as const),
    );
  }

  /**
   * Asks the agents for their shards.
   *
   * @throws StreamgaugeError `INVALID_OPTION` for more requests than a message may have
   */
  static async begin(options: AttemptOptions): Promise<LoadAttempt> {
    const { search, target, runId, step, attempt, agents, plan } = options;
    const { redis, keys, build } = search;
    const name = attemptName({ runId, step, attempt });
    const bytes = Buffer.from(JSON.stringify(plan));
    if (bytes.byteLength > mostFileBytes) {
      throw invalidOption(
        `The requests of the load have ${bytes.byteLength} bytes as JSON, and ${mostFileBytes} are the ` +
          `most that cross to other machines: give fewer prompts, or a shorter trace.`,
      );
    }
    const read = (): Promise<Uint8Array> => Promise.resolve(bytes);
    const [file] = await uploadFiles(redis, keys, name, { names: [planFile], read });
    if (file === undefined) throw new RangeError("The plan of a step has no file.");
    const of = agents.length;
    const shards = agents.map(({ machineClass }, shard): AskedShard => {
      const job: ShardJob = {
        kind: "shard",
        version: 1,
        build,
        runId,
        step,
        attempt,
        shard,
        of,
        target,
        plan: file,
      };
      return { name: shardName(machineClass, job), machineClass, job };
    });
    const begun = new LoadAttempt(options, name, shards);
    await redis.set(keys.start(name), waiting, "PX", renewedMilliseconds);
    for (const each of shards) await begun.#jobs.get(each.machineClass)?.ask(each.name, each.job);
    return begun;
  }

  /**
   * Waits until all have opened their target.
   *
   * @returns what the first one opened; undefined where the attempt is void, and after an abort
   * @throws StreamgaugeError `PART_FAILED` where an agent cannot open it
   */
  async ready(): Promise<LoadTarget | undefined> {
    const begun = performance.now();
    while (!this.#isAborted && (await this.#goesOn())) {
      const first = this.#notices.get(0);
      if (this.#notices.size === this.#shards.length && first?.kind === "ready") {
        return first.target;
      }
      if (performance.now() - begun >= this.#readyMilliseconds) {
        return this.#void("Not all machines were ready in time.");
      }
      const { report, pollMilliseconds } = this.#search;
      report(`${this.#notices.size} of ${this.#shards.length} machines are ready`);
      await this.#pause(pollMilliseconds);
    }
    return undefined;
  }

  /**
   * Has all begin at one moment of the server's clock, and waits for their samples. After an abort, and
   * once the rest is of no use, it has them stop, and waits for what they have.
   *
   * @param report told how long it runs, from the beginning
   * @returns undefined where the attempt is void
   * @throws StreamgaugeError `PART_FAILED` where a shard cannot be offered
   */
  async run(report: (seconds: number) => void): Promise<OfferedShards | undefined> {
    const { redis, keys, pollMilliseconds } = this.#search;
    const [seconds = 0, microseconds = 0] = await redis.time();
    const start = BigInt(seconds) * 1_000_000n + BigInt(microseconds) + leadMicroseconds;
    const begunMilliseconds = performance.now() + Number(leadMicroseconds) / 1000;
    const key = keys.start(this.#name);
    const isSet = await redis.set(key, String(start), "PX", renewedMilliseconds, "XX");
    if (isSet !== "OK") return this.#void("Redis lost it.");
    while (await this.#goesOn()) {
      if (!(await this.#collect())) return this.#void("Samples in Redis were damaged.");
      if (this.#parts.size === this.#shards.length) {
        const parts = this.#shards.map((_, shard) => this.#parts.get(shard) as DownloadedPart);
        return { parts, stopped: this.#stopped };
      }
      const milliseconds = performance.now() - begunMilliseconds;
      if (milliseconds > this.#longestMilliseconds) {
        return this.#void("A machine did not come to the end of it.");
      }
      await this.#stopIfOver(start);
      report(Math.max(0, milliseconds) / 1000);
      await this.#pause(pollMilliseconds);
    }
    return undefined;
  }

  async #stopIfOver(start: bigint): Promise<void> {
    if (this.#stopped !== undefined) return;
    if (this.#isAborted) this.#stopped = "interrupted";
    else if (this.#isDecided?.([...this.#counts.values()]) === true) this.#stopped = "decided";
    else return;
    const { redis, keys } = this.#search;
    await redis.set(keys.start(this.#name), stopWord(start), "PX", renewedMilliseconds, "XX");
  }

  get #isAborted(): boolean {
    return this.#search.signal?.aborted === true;
  }

  /** Takes all of it out of Redis: agents that are still at it give it up. */
  async end(): Promise<void> {
    const { redis, keys } = this.#search;
    await redis.del(keys.start(this.#name), keys.shards(this.#name));
    const plan = this.#shards[0]?.job.plan;
    const pieces = plan?.chunks.map((hash) => keys.chunk(this.#name, hash)) ?? [];
    if (pieces.length > 0) await redis.unlink(pieces);
    for (const { manifest } of this.#parts.values()) await dropChunks(redis, keys, manifest);
    for (const { name, machineClass } of this.#shards) {
      await this.#jobs.get(machineClass)?.forget(name);
    }
    for (const jobs of this.#jobs.values()) await jobs.close();
  }

  /** Renews it, and looks for what makes it void. */
  async #goesOn(): Promise<boolean> {
    const { redis, keys } = this.#search;
    const key = keys.start(this.#name);
    if ((await redis.pexpire(key, renewedMilliseconds)) !== 1) {
      this.#void("Redis lost it.");
      return false;
    }
    const texts = await redis.hgetall(keys.shards(this.#name));
    await redis.expire(keys.shards(this.#name), expirySeconds.run);
    for (const { job } of this.#shards) {
      const text = texts[job.shard];
      if (text === undefined) continue;
      const notice = readMessage(shardNotice, text, "what an agent says of a shard");
      if (notice.kind === "failed") return this.#failed(notice);
      this.#notices.set(job.shard, notice);
      const counts = texts[countsField(job.shard)];
      if (counts === undefined) continue;
      this.#counts.set(
        job.shard,
        readMessage(shardCounts, counts, "what an agent says of its requests"),
      );
    }
    return (await this.#hasAgents()) && (await this.#isTaken());
  }

  /** An agent that refuses a job says so in the job alone. */
  async #isTaken(): Promise<boolean> {
    if (performance.now() - this.#checkedMilliseconds < this.#checkMilliseconds) return true;
    this.#checkedMilliseconds = performance.now();
    for (const { name, machineClass, job } of this.#shards) {
      if (this.#notices.has(job.shard)) continue;
      const reason = await this.#jobs.get(machineClass)?.failureOf(name);
      if (reason === undefined) continue;
      return this.#failed({ kind: "failed", reason, isPassing: /stalled/i.test(reason) });
    }
    return true;
  }

  /** A shard that nobody can have any more is lost. */
  async #hasAgents(): Promise<boolean> {
    const { suitable } = await look(this.#search);
    const sessions = new Set(suitable.map(({ session }) => session));
    const left = this.#shards.filter(({ job }) => !this.#parts.has(job.shard));
    for (const { job, machineClass } of left) {
      const notice = this.#notices.get(job.shard);
      const isGone = notice?.kind === "ready" && !sessions.has(notice.session);
      const wanted = left.filter((other) => other.machineClass === machineClass).length;
      const there = suitable.filter((agent) => agent.machineClass === machineClass).length;
      if (!isGone && there >= wanted) continue;
      // Its samples can have come in the last moment.
      await this.#collect();
      if (this.#parts.has(job.shard)) continue;
      this.#void(`The machine of shard ${job.shard} went away.`);
      return false;
    }
    return true;
  }

  /** Gets what has been delivered; false where it is damaged. */
  async #collect(): Promise<boolean> {
    const { redis, keys } = this.#search;
    try {
      for (const { name, job } of this.#shards) {
        if (this.#parts.has(job.shard)) continue;
        const part = await downloadPart(redis, keys, name);
        if (part !== undefined) this.#parts.set(job.shard, part);
      }
      return true;
    } catch (error) {
      if (isStreamgaugeError(error, "INVALID_MESSAGE")) return false;
      throw error;
    }
  }

  #failed({ reason, isPassing }: Extract<ShardNotice, { readonly kind: "failed" }>): boolean {
    if (isPassing) {
      this.#void(reason);
      return false;
    }
    throw new StreamgaugeError(
      "PART_FAILED",
      `A shard of the load cannot be offered: ${reason} Mend it there, and run the load again.`,
    );
  }

  #void(reason: string): undefined {
    this.reason = reason;
    return undefined;
  }

  /** An abort ends it, unless it has been heeded. */
  async #pause(milliseconds: number): Promise<void> {
    const { signal } = this.#search;
    if (this.#stopped !== undefined) return await pause(milliseconds);
    await pause(milliseconds, undefined, { signal }).catch(() => undefined);
  }
}
