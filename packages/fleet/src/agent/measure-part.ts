import { setTimeout as pause } from "node:timers/promises";
import {
  isBuiltInModel,
  PartRecorder,
  runProcess,
  waitUntilQuiet,
  watchEnvironment,
} from "@streamgauge/bench/parts";
import { StreamgaugeError } from "@streamgauge/core";
import { machineClassOf, otherBuild } from "../machines/machine-class.js";
import type { AgentNotice } from "../messages/agent-notice.js";
import { orderOf, partJob, partName, type PartJob } from "../messages/part-job.js";
import { checkMessage } from "../messages/read-message.js";
import { commitPart, uploadFiles, type Commit } from "../parts/upload-part.js";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";
import type { AgentEndpoint } from "./agent-endpoint.js";
import { createSpool, type Spool } from "./spool.js";

/** What an agent measures with. */
export interface MeasuringAgent {
  readonly keys: FleetKeys;
  /** The connection as it is now: it can be made anew at any time. */
  readonly redis: () => Redis;
  readonly notice: AgentNotice;
  /** Its modules with scenarios: file URLs by SHA-256. */
  readonly modules: ReadonlyMap<string, string>;
  /** The endpoint that it may load, and the variable with its key. */
  readonly endpoint: AgentEndpoint | undefined;
  readonly spoolFolder: string | undefined;
  /** Flags of Node for the processes that measure. */
  readonly execArgv: readonly string[] | undefined;
  /** A process that is told to stop has so long to do so. */
  readonly stopMilliseconds: number;
  readonly signal: AbortSignal;
}

/**
 * Reads what is asked for, and refuses what this machine does not have.
 *
 * @throws StreamgaugeError `INVALID_MESSAGE`; `INVALID_OPTION` for another version, module or model
 */
export function acceptJob(agent: MeasuringAgent, part: string, message: unknown): PartJob {
  const job = checkMessage(partJob, message, `the part ${part}`);
  const { machineClass, build } = agent.notice;
  const other = otherBuild(job.build, build);
  if (other !== undefined) {
    throw refused(`the run is of another version: ${other}. Check out the same commit on both.`);
  }
  if (partName(machineClass, job) !== part)
    throw refused(`${part} is not the name of what it asks.`);
  for (const hash of job.modules) {
    if (agent.modules.has(hash)) continue;
    throw refused(
      `it has no module with the SHA-256 ${hash.slice(0, 12)}…: start it with the run's modules.`,
    );
  }
  if (job.model !== null && !isBuiltInModel(job.model)) {
    throw refused("the run asks for a model that is not built in.");
  }
  return job;
}

/**
 * Measures a part in a process of its own, and makes it count unless another was first. Resolves to
 * undefined after an abort.
 *
 * @throws StreamgaugeError what the process threw; `PROCESS_FAILED`; `AGENT_STORAGE`
 */
export async function measurePart(
  agent: MeasuringAgent,
  part: string,
  job: PartJob,
): Promise<Commit | undefined> {
  const { signal, spoolFolder, execArgv, modules } = agent;
  await waitUntilQuiet(job.waitSeconds, () => undefined, signal);
  const watch = await watchEnvironment();
  requireSameClass(agent.notice, watch.environment);
  const spool = await createSpool(spoolFolder);
  try {
    const { runId, process } = job;
    const recorder = new PartRecorder({ runId, process }, (name, bytes) =>
      spool.write(name, bytes),
    );
    const urls = job.modules.map((hash) => modules.get(hash) as string);
    await runProcess(orderOf(job, urls), {
      sink: recorder,
      signal,
      report: () => undefined,
      execArgv,
    });
    if (signal.aborted || !recorder.isWhole) return undefined;
    await spool.write("part", Buffer.from(JSON.stringify(recorder.document)));
    return await deliver(agent, part, spool, await watch.conclude());
  } finally {
    await spool.remove();
  }
}

/**
 * A machine can get other cores or another Node while its agent runs.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function requireSameClass(
  { label, machineClass }: AgentNotice,
  environment: AgentNotice["environment"],
): void {
  const now = machineClassOf(label, environment);
  if (now === machineClass) return;
  throw refused(`this machine is ${now} now, and was ${machineClass}: start its agent again.`);
}

/**
 * Until the server has it: what is measured is not given up because a connection was lost. Undefined
 * after an abort.
 */
export async function deliver(
  { keys, redis, notice, signal }: MeasuringAgent,
  part: string,
  spool: Pick<Spool, "names" | "read">,
  environment: AgentNotice["environment"],
): Promise<Commit | undefined> {
  const { machine, label, session } = notice;
  for (;;) {
    const connection = redis();
    try {
      const files = await uploadFiles(connection, keys, part, spool);
      return await commitPart(connection, keys, {
        version: 1,
        part,
        machine,
        label,
        session,
        environment,
        files,
      });
    } catch (error) {
      // The watchdog made a new connection, and ended this one.
      if (connection.status !== "end" && redis() === connection) throw error;
      if (signal.aborted) return undefined;
      await pause(100);
    }
  }
}

/** For what this agent does not have, or may not do. */
export function refused(why: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_OPTION", `This agent refuses the part: ${why}`);
}
