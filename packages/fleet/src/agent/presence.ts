import { setTimeout as pause } from "node:timers/promises";
import { StreamgaugeError } from "@streamgauge/core";
import type { AgentNotice } from "../messages/agent-notice.js";
import type { Redis } from "../redis/connection.js";
import { addName, queueOf, renewQueue, type FleetKeys } from "../redis/keys.js";
import type { AgentTimings } from "./timings.js";

/** Renews a lease that is still this session's. */
const renewLease =
  'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("pexpire", KEYS[1], ARGV[2]) end return 0';

/** Ends a lease that is still this session's. */
const endLease =
  'if redis.call("get", KEYS[1]) == ARGV[1] then return redis.call("del", KEYS[1]) end return 0';

/** Signs of life between two renewals of the queue. */
const beatsBetweenRenewals = 12;

/** That an agent is there, for whoever looks. One for each machine. */
export class Presence {
  readonly #keys: FleetKeys;
  readonly #timings: AgentTimings;
  #notice: AgentNotice;
  #beats = 0;

  constructor(keys: FleetKeys, timings: AgentTimings, notice: AgentNotice) {
    this.#keys = keys;
    this.#timings = timings;
    this.#notice = notice;
  }

  get notice(): AgentNotice {
    return this.#notice;
  }

  /**
   * Takes the machine. Where an agent died a moment ago, it waits until that one counts as gone.
   *
   * @throws StreamgaugeError `AGENT_PRESENT` where another has it for longer
   */
  async begin(redis: Redis): Promise<void> {
    const { machine, session } = this.#notice;
    const { goneMilliseconds, pollMilliseconds } = this.#timings;
    const lease = this.#keys.lease(machine);
    const tries = Math.ceil(goneMilliseconds / pollMilliseconds) + 2;
    for (let attempt = 0; attempt < tries; attempt += 1) {
      if (attempt > 0) await pause(pollMilliseconds);
      const taken = await redis.set(lease, session, "PX", goneMilliseconds, "NX");
      if (taken === "OK") return await this.beat(redis);
    }
    throw present(machine);
  }

  /**
   * Gives a sign of life.
   *
   * @throws StreamgaugeError `AGENT_PRESENT` where another agent has taken the machine: this one was
   *   silent for too long
   */
  async beat(redis: Redis): Promise<void> {
    const { machine, session, machineClass } = this.#notice;
    const { goneMilliseconds } = this.#timings;
    const lease = this.#keys.lease(machine);
    if ((await redis.eval(renewLease, 1, lease, session, goneMilliseconds)) !== 1) {
      // It expired, and nobody has it: it is this one's again.
      const taken = await redis.set(lease, session, "PX", goneMilliseconds, "NX");
      if (taken !== "OK") throw present(machine);
    }
    const text = JSON.stringify(this.#notice);
    await redis.set(this.#keys.agent(machine), text, "PX", goneMilliseconds);
    await addName(redis, this.#keys.machines, machine);
    await addName(redis, this.#keys.queues, queueOf(machineClass));
    // The queue is made after the first, and lasts for days.
    if (this.#beats % beatsBetweenRenewals === 1) {
      await renewQueue(redis, this.#keys, queueOf(machineClass));
    }
    this.#beats += 1;
  }

  /** What it does now; others see it at the next sign of life. */
  set(state: Partial<Pick<AgentNotice, "part" | "partsDone">>): void {
    this.#notice = { ...this.#notice, ...state };
  }

  /** Leaves the machine. */
  async end(redis: Redis): Promise<void> {
    const { machine, session } = this.#notice;
    const ended = await redis.eval(endLease, 1, this.#keys.lease(machine), session);
    if (ended === 1) {
      await redis.multi().del(this.#keys.agent(machine)).srem(this.#keys.machines, machine).exec();
    }
  }
}

function present(machine: string): StreamgaugeError {
  return new StreamgaugeError(
    "AGENT_PRESENT",
    `Another agent measures as ${machine}, and two would disturb each other: end it, or give this ` +
      `machine another name with --machine if it is another one.`,
  );
}
