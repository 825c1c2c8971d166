import { Queue } from "bullmq";
import { isStreamgaugeError } from "@streamgauge/core";
import { findAgents } from "../machines/agents.js";
import type { AgentNotice } from "../messages/agent-notice.js";
import { readMessage } from "../messages/read-message.js";
import { runNotice, type RunNotice } from "../messages/run-notice.js";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";

/** The jobs of a class of machines. */
export interface QueueStatus {
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  readonly failed: number;
}

/** What is going on in a fleet. */
export interface FleetStatus {
  readonly agents: readonly AgentNotice[];
  readonly runs: readonly (RunNotice & { readonly name: string })[];
  readonly queues: readonly QueueStatus[];
  /** Messages that this version does not take, and why. */
  readonly unreadable: readonly string[];
}

/** Looks at agents, runs and queues. It changes nothing. */
export async function fleetStatus(redis: Redis, keys: FleetKeys): Promise<FleetStatus> {
  const { present: agents, unreadable } = await findAgents(redis, keys);
  const { runs, unreadable: others } = await findRuns(redis, keys);
  const queues: QueueStatus[] = [];
  for (const name of (await redis.smembers(keys.queues)).toSorted()) {
    queues.push(await statusOf(redis, keys, name));
  }
  return { agents, runs, queues, unreadable: [...unreadable, ...others] };
}

async function findRuns(
  redis: Redis,
  keys: FleetKeys,
): Promise<Pick<FleetStatus, "runs" | "unreadable">> {
  const runs: (RunNotice & { readonly name: string })[] = [];
  const unreadable: string[] = [];
  for (const name of (await redis.smembers(keys.runs)).toSorted()) {
    const text = await redis.get(keys.run(name));
    if (text === null) continue;
    try {
      runs.push({ ...readMessage(runNotice, text, "the notice of a run"), name });
    } catch (error) {
      if (!isStreamgaugeError(error)) throw error;
      unreadable.push(error.message);
    }
  }
  return { runs, unreadable };
}

async function statusOf(redis: Redis, keys: FleetKeys, name: string): Promise<QueueStatus> {
  const queue = new Queue(name, {
    connection: redis,
    prefix: keys.queuePrefix,
    // Who looks makes no queue.
    skipMetasUpdate: true,
  });
  queue.on("error", () => undefined);
  try {
    const counts = await queue.getJobCounts("wait", "active", "failed");
    const { wait = 0, active = 0, failed = 0 } = counts;
    return { name, waiting: wait, active, failed };
  } finally {
    await queue.close();
  }
}

/** The status in lines, for a terminal. */
export function statusLines({ agents, runs, queues, unreadable }: FleetStatus): string[] {
  return [
    `${agents.length} agents`,
    ...agents.map(({ label, machine, machineClass, part, partsDone, build }) => {
      const commit = build.commit?.slice(0, 12) ?? "no commit";
      const doing = part === null ? "waits" : `measures ${part}`;
      return `  ${label} (${machine}), ${machineClass}, ${commit}: ${doing}; ${partsDone} parts done`;
    }),
    `${runs.length} runs`,
    ...runs.flatMap(({ name, renewedAt, classes }) => [
      `  ${name}, last heard of ${renewedAt}`,
      ...classes.map(({ label, done, parts }) => `    ${label}: ${done} of ${parts} parts`),
    ]),
    `${queues.length} queues`,
    ...queues.map(
      ({ name, waiting, active, failed }) =>
        `  ${name}: ${waiting} wait, ${active} are measured, ${failed} failed`,
    ),
    ...unreadable,
  ];
}
