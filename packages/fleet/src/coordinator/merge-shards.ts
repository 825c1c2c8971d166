import {
  deriveStages,
  lateAfterNanoseconds,
  readLoadSamples,
  recordSchedule,
  stageSeconds,
  totalsOf,
  type AskedStep,
  type LoadClient,
  type LoadPlan,
  type LoadSamples,
  type OfferedStep,
} from "@streamgauge/bench/load";
import { StreamgaugeError } from "@streamgauge/core";
import { checkMessage } from "../messages/read-message.js";
import { shardDocument } from "../messages/shard-notice.js";
import type { OfferedShards } from "./load-attempt.js";

/**
 * A step from what its shards delivered. Its stages follow from the raw samples alone, as when the
 * record is verified: histograms are added bucket by bucket, and counts and extremes are exact.
 *
 * @throws StreamgaugeError `INVALID_PART` and `INVALID_RAW_SAMPLES` for what is not of the step
 */
export async function mergeShards(
  { parts, stopped }: OfferedShards,
  { step, schedule }: AskedStep,
  { plan, runId }: { readonly plan: LoadPlan; readonly runId: string },
): Promise<OfferedStep> {
  const files: Uint8Array[] = [];
  const shards: LoadSamples[] = [];
  const clients: LoadClient[] = [];
  for (const [shard, { recorded }] of parts.entries()) {
    const { name, label, environment } = recorded.machine;
    const bytes = recorded.files.get("samples-0");
    if (bytes === undefined) throw invalid(name, "its samples are missing");
    const samples = await readLoadSamples(bytes);
    const isOwn = samples.runId === runId && samples.step === step && samples.shard === shard;
    if (!isOwn || samples.of !== parts.length) {
      throw invalid(name, "its samples are of another load, step or shard");
    }
    const { clockOffsetMilliseconds, startUncertaintyNanoseconds } = checkMessage(
      shardDocument,
      recorded.document,
      "what a machine says of a shard",
    );
    const { cpuModel, logicalCores, nodeVersion } = environment;
    files.push(bytes);
    shards.push(samples);
    clients.push({
      name,
      label,
      cpuModel,
      logicalCores,
      nodeVersion,
      clockOffsetMilliseconds,
      startUncertaintyNanoseconds,
    });
  }
  const { objective } = plan;
  const stages = deriveStages(
    { objective, lateAfterNanoseconds },
    {
      schedule: recordSchedule(schedule),
      stages: stageSeconds(schedule).map((seconds) => ({ seconds })),
    },
    shards,
  );
  const { arrived, offered, interrupted } = totalsOf(stages);
  const isWhole = arrived === offered && interrupted === 0;
  if (!isWhole && stopped === undefined) {
    throw invalid("Together the machines", `${arrived} of ${offered} requests came to an end`);
  }
  const status = isWhole && stopped !== "decided" ? "complete" : (stopped ?? "complete");
  return { status, stages, samples: files, clients };
}

function invalid(who: string, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_PART",
    `${who} delivered another shard of the load than was asked for: ${what}. Run the same version of ` +
      `streamgauge on every machine.`,
  );
}
