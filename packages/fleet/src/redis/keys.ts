import { invalidOption } from "@streamgauge/core";
import type { Redis } from "./connection.js";

/** What keys begin with, unless somebody chooses. */
export const defaultPrefix = "streamgauge";

/** Seconds after which what nobody renews is gone. */
export const expirySeconds: Readonly<Record<"part" | "chunk" | "run" | "names", number>> = {
  /** What a machine measured, and the queues that it comes by. */
  part: 7 * 24 * 3600,
  /** Longer than its part's: a manifest never names chunks that are gone. */
  chunk: 7 * 24 * 3600 + 3600,
  run: 7 * 24 * 3600,
  /** Sets of names; what they name says itself whether it is there. */
  names: 8 * 24 * 3600,
};

/** The names of all keys of one fleet. */
export interface FleetKeys {
  readonly prefix: string;
  /** Set of the names of machines with an agent. */
  readonly machines: string;
  /** What a machine's agent says of itself. */
  agent(machine: string): string;
  /** The session of the agent that has the machine. */
  lease(machine: string): string;
  /** Set of the names of runs. */
  readonly runs: string;
  run(name: string): string;
  /** Set of the names of queues. */
  readonly queues: string;
  /** BullMQ's prefix. */
  readonly queuePrefix: string;
  /** What a part consists of: there is one, once it is measured. */
  manifest(part: string): string;
  /** A piece of one of a part's files. */
  chunk(part: string, sha256: string): string;
  /** Hash of what the agents of an attempt at a load's step say, by shard. */
  shards(attempt: string): string;
  /** When an attempt begins. It is gone when the attempt is given up. */
  start(attempt: string): string;
}

/** @throws StreamgaugeError `INVALID_OPTION` for a prefix of other characters */
export function keysOf(prefix: string = defaultPrefix): FleetKeys {
  if (!/^[\w.-]{1,64}$/.test(prefix)) {
    throw invalidOption(
      "The prefix of keys must be 1 to 64 letters, digits, dots, dashes or underscores.",
    );
  }
  return {
    prefix,
    machines: `${prefix}:machines`,
    agent: (machine) => `${prefix}:agent:${machine}`,
    lease: (machine) => `${prefix}:lease:${machine}`,
    runs: `${prefix}:runs`,
    run: (name) => `${prefix}:run:${name}`,
    queues: `${prefix}:queues`,
    queuePrefix: `${prefix}:queue`,
    manifest: (part) => `${prefix}:manifest:${part}`,
    shards: (attempt) => `${prefix}:shards:${attempt}`,
    start: (attempt) => `${prefix}:start:${attempt}`,
    chunk: (part, sha256) => `${prefix}:chunk:${part}:${sha256}`,
  };
}

/** The queue of a class of machines. */
export function queueOf(machineClass: string): string {
  return `parts-${machineClass}`;
}

/** Adds a name to a set of names, and renews the set. */
export async function addName(redis: Redis, set: string, name: string): Promise<void> {
  await redis.multi().sadd(set, name).expire(set, expirySeconds.names).exec();
}

/**
 * The parts of a queue as BullMQ names them, but for those that it lets expire itself: "stalled-check" and
 * "limiter" are there for a moment, and whoever lengthens it switches the look for stalled jobs off. A
 * queue's jobs have names of their own.
 */
const queueParts = [
  "meta",
  "id",
  "events",
  "marker",
  "wait",
  "active",
  "paused",
  "prioritized",
  "delayed",
  "waiting-children",
  "completed",
  "failed",
  "stalled",
  "pc",
  "de",
] as const;

/** BullMQ keeps a queue for ever: this lets it end some days after the last who renews it. */
export async function renewQueue(
  redis: Redis,
  keys: FleetKeys,
  queue: string,
  jobs: readonly string[] = [],
): Promise<void> {
  const pipeline = redis.pipeline();
  for (const part of [...queueParts, ...jobs]) {
    pipeline.expire(`${keys.queuePrefix}:${queue}:${part}`, expirySeconds.part);
  }
  await pipeline.exec();
}
