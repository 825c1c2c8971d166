import { createClient, type Redis } from "../redis/connection.js";
import type { RedisAddress } from "../redis/redis-address.js";
import { within } from "../redis/within.js";

/** What a command that took too long comes to. */
export const tookTooLong: unique symbol = Symbol("took too long");

/** A connection, and what is made on it. */
export interface Linked<Made> {
  readonly redis: Redis;
  readonly made: Made;
}

/**
 * A connection to Redis under watch. One that does not answer is given up, with all that was made on it,
 * for a new one: clients were seen that never came back after the server had.
 */
export class Link<Made extends { close(): Promise<void> }> {
  readonly #address: RedisAddress;
  readonly #make: (redis: Redis) => Made;
  readonly #watchdogMilliseconds: number;
  #now: Linked<Made>;
  #renewals = 0;

  constructor(
    address: RedisAddress,
    first: Redis,
    make: (redis: Redis) => Made,
    watchdogMilliseconds: number,
  ) {
    this.#address = address;
    this.#make = make;
    this.#watchdogMilliseconds = watchdogMilliseconds;
    this.#now = { redis: first, made: make(first) };
  }

  /** The connection as it is now. */
  get redis(): Redis {
    return this.#now.redis;
  }

  /** How often the connection was made anew. */
  get renewals(): number {
    return this.#renewals;
  }

  /**
   * Does something on the connection. What takes longer than the watchdog waits, or fails because the
   * connection was given up meanwhile, comes to {@link tookTooLong}.
   *
   * @throws what the work throws
   */
  async use<Result>(
    work: (linked: Linked<Made>) => Promise<Result>,
  ): Promise<Result | typeof tookTooLong> {
    const linked = this.#now;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<typeof tookTooLong>((resolve) => {
      timer = setTimeout(() => resolve(tookTooLong), this.#watchdogMilliseconds);
    });
    const working = work(linked);
    // It can fail long after nobody waits for it any more.
    working.catch(() => undefined);
    try {
      const outcome = await Promise.race([working, late]);
      if (outcome === tookTooLong) this.#renew(linked);
      return outcome;
    } catch (error) {
      if (linked !== this.#now) return tookTooLong;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    const { made, redis } = this.#now;
    // A server that is away does not keep the agent from ending.
    await within(1000, made.close());
    redis.disconnect();
  }

  #renew(old: Linked<Made>): void {
    if (old !== this.#now) return;
    this.#renewals += 1;
    const redis = createClient(this.#address);
    this.#now = { redis, made: this.#make(redis) };
    void old.made.close();
    old.redis.disconnect();
  }
}
