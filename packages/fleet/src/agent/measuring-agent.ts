import { setTimeout as pause } from "node:timers/promises";
import { StreamgaugeError } from "@streamgauge/core";
import type { z } from "zod";
import { machineClassOf, otherBuild } from "../machines/machine-class.js";
import type { AgentNotice } from "../messages/agent-notice.js";
import { checkMessage } from "../messages/read-message.js";
import type { Build } from "../messages/words.js";
import { commitPart, uploadFiles, type Commit } from "../parts/upload-part.js";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";
import type { AgentEndpoint } from "./agent-endpoint.js";
import type { Spool } from "./spool.js";

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

/** A kind of job: what it is called, what it looks like, and how it is named. */
export interface JobKind<Job> {
  readonly what: "part" | "shard";
  readonly schema: z.ZodType<Job>;
  readonly nameOf: (machineClass: string, job: Job) => string;
}

/**
 * Reads a job, and refuses one that another version asks for or that is not what its name says.
 *
 * @throws StreamgaugeError `INVALID_MESSAGE`; `INVALID_OPTION`
 */
export function acceptJob<Job extends { readonly build: Build }>(
  { notice }: MeasuringAgent,
  { what, schema, nameOf }: JobKind<Job>,
  name: string,
  message: unknown,
): Job {
  const job = checkMessage(schema, message, `the ${what} ${name}`);
  const other = otherBuild(job.build, notice.build);
  if (other !== undefined) {
    throw refused(
      `the ${what} is of another version: ${other}. Check out the same commit on both.`,
    );
  }
  if (nameOf(notice.machineClass, job) !== name) {
    throw refused(`${name} is not the name of what it asks.`);
  }
  return job;
}

/**
 * The file URL of a module that the agent was started with.
 *
 * @throws StreamgaugeError `INVALID_OPTION` where it has none with this SHA-256
 */
export function moduleOf({ modules }: MeasuringAgent, sha256: string): string {
  const url = modules.get(sha256);
  if (url !== undefined) return url;
  throw refused(
    `it has no module with the SHA-256 ${sha256.slice(0, 12)}…: start it with that module.`,
  );
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
  files: Pick<Spool, "names" | "read">,
  environment: AgentNotice["environment"],
): Promise<Commit | undefined> {
  const { machine, label, session } = notice;
  for (;;) {
    const connection = redis();
    try {
      return await commitPart(connection, keys, {
        version: 1,
        part,
        machine,
        label,
        session,
        environment,
        files: await uploadFiles(connection, keys, part, files),
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
