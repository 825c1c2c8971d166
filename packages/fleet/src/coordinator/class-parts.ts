import { setTimeout as pause } from "node:timers/promises";
import type { Elsewhere, PartOrder, PartsProgress, RecordedPart } from "@streamgauge/bench/parts";
import { isStreamgaugeError, StreamgaugeError } from "@streamgauge/core";
import { findAgents, unsuitable } from "../machines/agents.js";
import type { AgentNotice } from "../messages/agent-notice.js";
import type { Manifest } from "../messages/manifest.js";
import { jobOf, partName } from "../messages/part-job.js";
import type { Build } from "../messages/words.js";
import { downloadPart } from "../parts/download-part.js";
import { dropChunks } from "../parts/upload-part.js";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";
import { within } from "../redis/within.js";
import { PartJobs } from "./part-jobs.js";
import type { CoordinatorTimings } from "./timings.js";

/** Longest wait for a server that may be away, for what is only tidy. */
const goodbyeMilliseconds = 2000;

/** A class of machines, and how parts come to it. */
export interface ClassOptions {
  readonly redis: Redis;
  readonly keys: FleetKeys;
  /** One of its agents. */
  readonly first: AgentNotice;
  readonly build: Build;
  /** SHA-256 of the run's modules. */
  readonly modules: readonly string[];
  readonly waitSeconds: number;
  readonly ifLost: "wait" | "go-on";
  readonly timings: CoordinatorTimings;
}

/** Measures the processes of a run on the machines of one class. */
export class ClassParts implements Elsewhere {
  readonly #options: ClassOptions;
  readonly #jobs: PartJobs;
  readonly #manifests = new Map<string, Manifest>();
  /** Machines that were seen, by name; and their labels. */
  readonly #seen = new Map<string, string>();
  #present: readonly AgentNotice[] = [];
  #lastSeenMilliseconds = performance.now();
  #checkedMilliseconds = -Infinity;

  constructor(options: ClassOptions) {
    const { redis, keys, first } = options;
    this.#options = options;
    this.#jobs = new PartJobs(redis, keys, first.machineClass);
  }

  get environment(): AgentNotice["environment"] {
    return this.#options.first.environment;
  }

  get instrument(): AgentNotice["instrument"] {
    return this.#options.first.instrument;
  }

  /** Names of machines that were there, and are no more. */
  get gone(): readonly string[] {
    const there = new Set(this.#present.map(({ machine }) => machine));
    return [...this.#seen.keys()].filter((machine) => !there.has(machine));
  }

  async *measure(
    orders: readonly PartOrder[],
    options: {
      readonly signal: AbortSignal | undefined;
      readonly report: (progress: PartsProgress) => void;
    },
  ): AsyncGenerator<RecordedPart, void, undefined> {
    const { keys, redis } = this.#options;
    this.#lastSeenMilliseconds = performance.now();
    for (const order of orders) {
      const part = this.#nameOf(order);
      // A coordinator before this one may have asked for it.
      if ((await redis.exists(keys.manifest(part))) === 1) continue;
      await this.#jobs.ask(part, jobOf(order, this.#options));
    }
    for (const order of orders) {
      // An abort does not wait for a server that is away.
      const recorded = await within(Infinity, this.#wait(order, options), options.signal);
      if (recorded === undefined) {
        await within(goodbyeMilliseconds, this.#jobs.withdraw());
        return;
      }
      yield recorded;
    }
  }

  async taken(order: PartOrder): Promise<void> {
    const { keys, redis } = this.#options;
    const part = this.#nameOf(order);
    const manifest = this.#manifests.get(part);
    // The manifest stays until it expires: an execution that comes late has to find that it is late.
    if (manifest !== undefined) await dropChunks(redis, keys, manifest);
    this.#manifests.delete(part);
    await this.#jobs.forget(part);
  }

  async close(): Promise<void> {
    await within(goodbyeMilliseconds, this.#jobs.close());
  }

  #nameOf(order: PartOrder): string {
    return partName(this.#options.first.machineClass, order);
  }

  /** Until the part is measured; undefined after an abort. */
  async #wait(
    order: PartOrder,
    {
      signal,
      report,
    }: { readonly signal: AbortSignal | undefined; readonly report: (at: PartsProgress) => void },
  ): Promise<RecordedPart | undefined> {
    const { pollMilliseconds, checkMilliseconds } = this.#options.timings;
    for (;;) {
      if (signal?.aborted === true) return undefined;
      const recorded = await this.#download(order);
      if (recorded !== undefined) return recorded;
      report(await this.#lookForAgents());
      if (performance.now() - this.#checkedMilliseconds >= checkMilliseconds) {
        this.#checkedMilliseconds = performance.now();
        await this.#jobs.check();
      }
      await pause(pollMilliseconds, undefined, { signal }).catch(() => undefined);
    }
  }

  async #download(order: PartOrder): Promise<RecordedPart | undefined> {
    const { redis, keys } = this.#options;
    const part = this.#nameOf(order);
    try {
      const downloaded = await downloadPart(redis, keys, part);
      if (downloaded === undefined) return undefined;
      this.#manifests.set(part, downloaded.manifest);
      return downloaded.recorded;
    } catch (error) {
      if (!isStreamgaugeError(error, "INVALID_MESSAGE")) throw error;
      // Taken away first, so that the next execution can count.
      await redis.del(keys.manifest(part));
      await this.#jobs.askAgain(part, jobOf(order, this.#options));
      return undefined;
    }
  }

  /** @throws StreamgaugeError `MACHINES_LOST` where none is left, and the run is to go on without */
  async #lookForAgents(): Promise<PartsProgress> {
    const { redis, keys, first, ifLost, timings } = this.#options;
    const { present } = await findAgents(redis, keys);
    this.#present = present.filter(
      (agent) =>
        agent.machineClass === first.machineClass && unsuitable(agent, this.#options) === undefined,
    );
    for (const { machine, label } of this.#present) this.#seen.set(machine, label);
    const now = performance.now();
    if (this.#present.length > 0) this.#lastSeenMilliseconds = now;
    const isLost = now - this.#lastSeenMilliseconds >= timings.lostMilliseconds;
    const gone = this.gone.length === 0 ? "" : `; gone: ${this.gone.join(", ")}`;
    if (!isLost) return { subject: `${agents(this.#present.length)}${gone}`, isWaiting: false };
    if (ifLost === "go-on") throw this.#lost();
    return { subject: `no agent is left${gone}: waiting for one`, isWaiting: true };
  }

  #lost(): StreamgaugeError {
    const { label, machineClass } = this.#options.first;
    const names = [...this.#seen.keys()].join(", ");
    return new StreamgaugeError(
      "MACHINES_LOST",
      `No agent of ${label} (${machineClass}) is left; gone: ${names}. What it measured is kept. ` +
        `Start an agent there, and run the bench again with --fleet and --resume.`,
    );
  }
}

function agents(count: number): string {
  return count === 1 ? "1 agent" : `${count} agents`;
}
