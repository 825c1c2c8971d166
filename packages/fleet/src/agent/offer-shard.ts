import { watchEnvironment } from "@streamgauge/bench/parts";
import {
  openShardProcess,
  parseShardPlan,
  shareOfConcurrency,
  type ShardCounts,
  type ShardOrder,
  type ShardProcess,
  type TargetPlan,
} from "@streamgauge/bench/load";
import { isStreamgaugeError, messageOf } from "@streamgauge/core";
import { attemptName, shardJob, shardName, type ShardJob } from "../messages/shard-job.js";
import type { ShardDocument } from "../messages/shard-notice.js";
import { downloadFile } from "../parts/download-part.js";
import { sha256Of } from "../parts/hash.js";
import type { Commit } from "../parts/upload-part.js";
import {
  acceptJob,
  deliver,
  moduleOf,
  refused,
  requireSameClass,
  type JobKind,
  type MeasuringAgent,
} from "./measuring-agent.js";
import { readRedisClock } from "./redis-clock.js";
import { StartLine, stepVoid } from "./start-line.js";

const shards: JobKind<ShardJob> = { what: "shard", schema: shardJob, nameOf: shardName };

/**
 * Reads a shard that is asked for, and refuses what this machine does not have.
 *
 * @throws StreamgaugeError `INVALID_MESSAGE`; `INVALID_OPTION` for another version, endpoint or module
 */
export function acceptShard(agent: MeasuringAgent, name: string, message: unknown): ShardJob {
  const job = acceptJob(agent, shards, name, message);
  targetOf(agent, job);
  return job;
}

/**
 * Sends the requests of a shard in a process of its own, from the moment on at which all shards begin.
 * Resolves to undefined after an abort.
 *
 * @throws StreamgaugeError `STEP_VOID` where the step was given up; what the process threw
 */
export async function offerShard(
  agent: MeasuringAgent,
  name: string,
  job: ShardJob,
): Promise<Commit | undefined> {
  const over = new AbortController();
  const line = new StartLine(agent, job, AbortSignal.any([agent.signal, over.signal]));
  try {
    const watch = await watchEnvironment();
    requireSameClass(agent.notice, watch.environment);
    const order = await orderOf(agent, job);
    const stop = new AbortController();
    const signal = AbortSignal.any([agent.signal, stop.signal]);
    let counts: ShardCounts | undefined;
    const shard = await openShardProcess(order, {
      signal,
      execArgv: agent.execArgv,
      onCounts: (now) => {
        counts = now;
      },
    });
    // One that was stopped by a signal of the system hears of nothing.
    const kill = (): void =>
      void setTimeout(() => void shard.end(), agent.stopMilliseconds).unref();
    signal.addEventListener("abort", kill, { once: true });
    try {
      await line.ready(shard.target);
      const offered = await offerAtWord(agent, line, { shard, stop, counts: () => counts });
      if (offered === undefined) return undefined;
      const files = new Map<string, Uint8Array>([
        ["part", Buffer.from(JSON.stringify(offered.document))],
        ["samples-0", offered.samples],
      ]);
      const read = (file: string): Promise<Uint8Array> =>
        Promise.resolve(files.get(file) ?? new Uint8Array());
      return await deliver(agent, name, { names: [...files.keys()], read }, await watch.conclude());
    } finally {
      await shard.end();
    }
  } catch (error) {
    // What a request in flight came to then is no failure.
    if (agent.signal.aborted) return undefined;
    if (!isStreamgaugeError(error, "STEP_VOID")) {
      const { label, machine } = agent.notice;
      const reason = `${label} (${machine}): ${messageOf(error)}`;
      await line.failed(reason, !isStreamgaugeError(error) || error.code === "PROCESS_FAILED");
    }
    throw error;
  } finally {
    over.abort();
  }
}

/** Undefined after an abort of the agent. */
async function offerAtWord(
  agent: MeasuringAgent,
  line: StartLine,
  {
    shard,
    stop,
    counts,
  }: {
    readonly shard: ShardProcess;
    readonly stop: AbortController;
    readonly counts: () => ShardCounts | undefined;
  },
): Promise<{ readonly document: ShardDocument; readonly samples: Uint8Array } | undefined> {
  const word = await line.word();
  if (word === undefined) return undefined;
  // Measured now: clocks run apart while the others get ready.
  const clock = await readRedisClock(agent.redis());
  const startAt = clock.toLocalNanoseconds(word);
  if (process.hrtime.bigint() >= startAt) {
    // The others wait for this shard, and would for ever.
    await line.failed(`${agent.notice.machine} heard of the beginning too late.`, true);
    throw stepVoid("it began before this agent heard of it");
  }
  const over = new AbortController();
  let end: "given up" | "stopped" | undefined;
  void line.watch(counts, over.signal).then((how) => {
    end = how;
    if (how !== undefined) stop.abort();
  });
  const { status, samples } = await shard
    .run(startAt)
    .catch((error: unknown) => {
      throw end === "given up" ? stepVoid("it was given up while it ran") : error;
    })
    .finally(() => over.abort());
  if (agent.signal.aborted) return undefined;
  // Of a step that was stopped counts what was sent until then.
  if (status !== "complete" && end !== "stopped") throw stepVoid("it was given up while it ran");
  const document: ShardDocument = {
    version: 1,
    clockOffsetMilliseconds: clock.offsetMilliseconds,
    startUncertaintyNanoseconds: clock.uncertaintyNanoseconds,
  };
  return { document, samples };
}

async function orderOf(agent: MeasuringAgent, job: ShardJob): Promise<ShardOrder> {
  const { keys, redis } = agent;
  const bytes = await downloadFile(redis(), keys, attemptName(job), job.plan);
  const { maxConcurrency, ...plan } = parseShardPlan(
    JSON.parse(Buffer.from(bytes).toString("utf8")),
  );
  const { runId, step, shard, of } = job;
  return {
    ...plan,
    runId,
    step,
    shard,
    of,
    target: targetOf(agent, job),
    // The coordinator refuses a limit that leaves a shard nothing.
    maxConcurrency: maxConcurrency === null ? null : (shareOfConcurrency(maxConcurrency, job) ?? 1),
  };
}

/** @throws StreamgaugeError `INVALID_OPTION` for what this agent was not started with */
function targetOf(agent: MeasuringAgent, { target }: ShardJob): TargetPlan {
  if (target.kind === "module") {
    const url = moduleOf(agent, target.sha256);
    return { kind: "module", url, scenario: target.scenario ?? undefined };
  }
  const { model, api } = target;
  const { endpoint } = agent;
  if (endpoint !== undefined && sha256Of(endpoint.url) === target.sha256) {
    const { url, keyEnv } = endpoint;
    return {
      kind: "endpoint",
      url,
      host: new URL(url).host,
      model,
      api,
      ...(keyEnv !== undefined && { keyEnv }),
    };
  }
  throw refused("it may not load that endpoint: start it with its --url.");
}
