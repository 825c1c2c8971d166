import { isStreamgaugeError } from "@streamgauge/core";
import { agentNotice, type AgentNotice } from "../messages/agent-notice.js";
import { readMessage } from "../messages/read-message.js";
import type { Build } from "../messages/words.js";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";
import { machineClassOf, otherBuild } from "./machine-class.js";

/** The agents that are there. */
export interface Agents {
  /** Sorted by machine. */
  readonly present: readonly AgentNotice[];
  /** Machines whose agents speak another version, and why, in a sentence. */
  readonly unreadable: readonly string[];
}

/** Looks for the agents that have given a sign of life. */
export async function findAgents(redis: Redis, keys: FleetKeys): Promise<Agents> {
  const machines = (await redis.smembers(keys.machines)).toSorted();
  const present: AgentNotice[] = [];
  const unreadable: string[] = [];
  const texts =
    machines.length === 0 ? [] : await redis.mget(machines.map((machine) => keys.agent(machine)));
  for (const text of texts) {
    // It is gone: its notice has expired.
    if (text === null || text === undefined) continue;
    try {
      present.push(readMessage(agentNotice, text, "the notice of an agent"));
    } catch (error) {
      if (!isStreamgaugeError(error)) throw error;
      unreadable.push(error.message);
    }
  }
  return { present, unreadable };
}

/** What a run needs of an agent. */
export interface AgentNeeds {
  readonly build: Build;
  /** SHA-256 of the run's modules. */
  readonly modules: readonly string[];
  /** SHA-256 of the address of the endpoint that is loaded. */
  readonly endpoint?: string | undefined;
}

/** Why an agent cannot measure for a run, in a phrase; undefined when it can. */
export function unsuitable(
  agent: AgentNotice,
  { build, modules, endpoint }: AgentNeeds,
): string | undefined {
  const other = otherBuild(agent.build, build);
  if (other !== undefined) return other;
  if (machineClassOf(agent.label, agent.environment) !== agent.machineClass) {
    return "it says another class than its machine is of";
  }
  if (endpoint !== undefined && agent.endpoint !== endpoint) {
    return "it was started without the endpoint's --url, or with another spelling of it";
  }
  return modules.every((hash) => agent.modules.includes(hash))
    ? undefined
    : "it was started without the run's modules, or with other versions of them";
}
