import {
  isBuiltInModel,
  PartRecorder,
  runProcess,
  waitUntilQuiet,
  watchEnvironment,
} from "@streamgauge/bench/parts";
import { orderOf, partJob, partName, type PartJob } from "../messages/part-job.js";
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
import { createSpool } from "./spool.js";

const parts: JobKind<PartJob> = { what: "part", schema: partJob, nameOf: partName };

/**
 * Reads a part that is asked for, and refuses what this machine does not have.
 *
 * @throws StreamgaugeError `INVALID_MESSAGE`; `INVALID_OPTION` for another version, module or model
 */
export function acceptPart(agent: MeasuringAgent, name: string, message: unknown): PartJob {
  const job = acceptJob(agent, parts, name, message);
  for (const hash of job.modules) moduleOf(agent, hash);
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
  const { signal, spoolFolder, execArgv } = agent;
  await waitUntilQuiet(job.waitSeconds, () => undefined, signal);
  const watch = await watchEnvironment();
  requireSameClass(agent.notice, watch.environment);
  const spool = await createSpool(spoolFolder);
  try {
    const { runId, process } = job;
    const recorder = new PartRecorder({ runId, process }, (name, bytes) =>
      spool.write(name, bytes),
    );
    const urls = job.modules.map((hash) => moduleOf(agent, hash));
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
