import { randomBytes } from "node:crypto";
import type { ClassNotice, RunNotice } from "../messages/run-notice.js";
import type { Redis } from "../redis/connection.js";
import { addName, expirySeconds, type FleetKeys } from "../redis/keys.js";

/** That a run is going on, for `fleet status`. */
export class Announcement {
  readonly #redis: Redis;
  readonly #keys: FleetKeys;
  readonly #name: string;
  readonly #startedAt: string = new Date().toISOString();
  readonly #classes = new Map<string, ClassNotice>();
  readonly #timer: NodeJS.Timeout;

  constructor(redis: Redis, keys: FleetKeys, everyMilliseconds: number) {
    this.#redis = redis;
    this.#keys = keys;
    this.#name = `${this.#startedAt.replaceAll(":", "-")}-${randomBytes(4).toString("hex")}`;
    // What it says is for whoever looks: the run does not depend on it.
    this.#timer = setInterval(() => void this.#renew().catch(() => undefined), everyMilliseconds);
  }

  /** How far a class is. */
  set(notice: ClassNotice): void {
    this.#classes.set(notice.machineClass, notice);
  }

  /** All classes in a line, and how much of their parts is done. */
  get progress(): { readonly fractionDone: number; readonly counts: readonly ClassNotice[] } {
    const counts = [...this.#classes.values()];
    const sum = (values: readonly number[]): number =>
      values.reduce((total, one) => total + one, 0);
    const parts = sum(counts.map((one) => one.parts));
    return {
      fractionDone: parts === 0 ? 0 : sum(counts.map(({ done }) => done)) / parts,
      counts,
    };
  }

  async begin(): Promise<void> {
    await addName(this.#redis, this.#keys.runs, this.#name);
    await this.#renew();
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#redis
      .multi()
      .del(this.#keys.run(this.#name))
      .srem(this.#keys.runs, this.#name)
      .exec();
  }

  async #renew(): Promise<void> {
    const notice: RunNotice = {
      version: 1,
      startedAt: this.#startedAt,
      renewedAt: new Date().toISOString(),
      classes: [...this.#classes.values()],
    };
    const key = this.#keys.run(this.#name);
    await this.#redis.set(key, JSON.stringify(notice), "EX", expirySeconds.run);
  }
}
