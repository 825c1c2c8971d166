import { setTimeout as pause } from "node:timers/promises";
import { findAgents, unsuitable, type AgentNeeds } from "../machines/agents.js";
import type { AgentNotice } from "../messages/agent-notice.js";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";

/** What agents are looked for with. */
export interface Search extends AgentNeeds {
  readonly redis: Redis;
  readonly keys: FleetKeys;
  readonly pollMilliseconds: number;
  readonly signal: AbortSignal | undefined;
  /** Told what it waits for, in a line. */
  readonly report: (subject: string) => void;
}

/**
 * Waits until there are so many agents that can measure for the run.
 *
 * @returns one of each class, sorted by class; empty after an abort
 */
export async function waitForAgents(
  count: number,
  search: Search,
): Promise<readonly AgentNotice[]> {
  for (;;) {
    const { suitable, refused } = await look(search);
    if (suitable.length >= count) return firstOfEachClass(suitable);
    const others = refused.length === 0 ? "" : `; not these: ${refused.join("; ")}`;
    search.report(`waiting for agents, ${suitable.length} of ${count} are there${others}`);
    if (!(await goesOn(search))) return [];
  }
}

/** Waits until a class has an agent, or for so long; undefined where it had none, or after an abort. */
export async function waitForClass(
  machineClass: string,
  longestMilliseconds: number,
  search: Search,
): Promise<AgentNotice | undefined> {
  const start = performance.now();
  for (;;) {
    const { suitable } = await look(search);
    const found = suitable.find((agent) => agent.machineClass === machineClass);
    if (found !== undefined) return found;
    if (performance.now() - start >= longestMilliseconds) return undefined;
    search.report(`waiting for an agent of ${machineClass}`);
    if (!(await goesOn(search))) return undefined;
  }
}

/** The agents that can measure for the run, and why others cannot. */
export async function look(
  search: Omit<Search, "report" | "signal" | "pollMilliseconds">,
): Promise<{ readonly suitable: readonly AgentNotice[]; readonly refused: readonly string[] }> {
  const { present, unreadable } = await findAgents(search.redis, search.keys);
  const suitable: AgentNotice[] = [];
  const refused = [...unreadable];
  for (const agent of present) {
    const why = unsuitable(agent, search);
    if (why === undefined) suitable.push(agent);
    else refused.push(`${agent.label} (${agent.machine}): ${why}`);
  }
  return { suitable, refused };
}

function firstOfEachClass(agents: readonly AgentNotice[]): readonly AgentNotice[] {
  const classes = new Map<string, AgentNotice>();
  for (const agent of agents) {
    if (!classes.has(agent.machineClass)) classes.set(agent.machineClass, agent);
  }
  return [...classes.values()].toSorted((one, other) =>
    one.machineClass < other.machineClass ? -1 : 1,
  );
}

async function goesOn({ pollMilliseconds, signal }: Search): Promise<boolean> {
  await pause(pollMilliseconds, undefined, { signal }).catch(() => undefined);
  return signal?.aborted !== true;
}
