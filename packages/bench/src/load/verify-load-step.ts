import { createHash } from "node:crypto";
import { messageOf } from "@streamgauge/core";
import type { LoadRecord, LoadStage, LoadStep, RateSchedule } from "../record/index.js";
import { describeOther, isExpected } from "../run/agreement.js";
import { describeOtherBytes, requirePlainName, type ReadBeside } from "../run/cell-samples.js";
import { stepSeed } from "./load-plan.js";
import { readLoadSamples, type LoadSamples } from "./load-samples.js";
import { shardArrivals, stageSeconds } from "./schedule.js";
import { totalsOf } from "./stage-counts.js";
import { mergeStages, StageTally } from "./stage-tally.js";
import { judgeStep } from "./step-verdict.js";

/** What is wrong with each part of a step, in a sentence each. */
export type StepFindings = Readonly<
  Record<"hash" | "arrivals" | "stages" | "verdict", readonly string[]>
>;

/** What of a step its stages are derived with. */
export interface DerivedStep extends Pick<LoadStep, "schedule"> {
  readonly stages: readonly Pick<LoadStage, "seconds">[];
}

/**
 * Derives a step of a load again from its raw samples and its seed.
 *
 * @param at the step, and its place in the record from 0
 */
export async function verifyLoadStep(
  record: LoadRecord,
  at: { readonly index: number; readonly step: LoadStep },
  readFile: ReadBeside,
): Promise<StepFindings> {
  const { index, step } = at;
  const place = `Step ${index + 1}`;
  const verdict = [
    ...describeStatus(place, step),
    ...describeOther(`${place}, verdict`, step.verdict, () =>
      judgeStep(record.objective, step.status, step.stages),
    ),
  ];
  const { shards, problems: hash } = await readShards(record, at, readFile);
  // What is derived from part of the samples would differ everywhere.
  if (hash.length > 0) return { hash, arrivals: [], stages: [], verdict };
  return {
    hash,
    arrivals: [
      ...describeSeed(place, record, at),
      ...shards.flatMap((samples) => verifyOrder(place, step, samples)),
      ...verifyTrace(place, step, shards),
    ],
    stages: describeOther(`${place}, stages`, step.stages, () =>
      deriveStages(record, step, shards),
    ),
    verdict,
  };
}

function describeStatus(place: string, { status, stages }: LoadStep): string[] {
  const { offered, arrived, interrupted } = totalsOf(stages);
  if (status !== "complete" || (arrived === offered && interrupted === 0)) return [];
  return [`${place}: it is said to be complete, and not all of its requests came to an end.`];
}

function describeSeed(
  place: string,
  { seed }: LoadRecord,
  { index, step }: { readonly index: number; readonly step: LoadStep },
): string[] {
  const expected = stepSeed(seed, index);
  if (step.schedule.seed === expected) return [];
  return [
    `${place}: its seed is ${step.schedule.seed}, and follows from the run's as ${expected}.`,
  ];
}

async function readShards(
  { runId }: LoadRecord,
  { index, step }: { readonly index: number; readonly step: LoadStep },
  readFile: ReadBeside,
): Promise<{ readonly shards: readonly LoadSamples[]; readonly problems: readonly string[] }> {
  const place = `Step ${index + 1}`;
  const shards: LoadSamples[] = [];
  const problems: string[] = [];
  for (const [shard, reference] of step.rawSamples.entries()) {
    const { file } = reference;
    try {
      const bytes = await readFile(requirePlainName(reference));
      const otherBytes = describeOtherBytes(reference, bytes);
      if (otherBytes !== undefined) problems.push(`${place}: ${file}: ${otherBytes}.`);
      const samples = await readLoadSamples(bytes);
      const isOwn = samples.runId === runId && samples.step === index && samples.shard === shard;
      if (!isOwn || samples.of !== step.shards) {
        problems.push(`${place}: ${file} has the samples of another run, step or shard.`);
      }
      shards.push(samples);
    } catch (error) {
      if (!isExpected(error)) throw error;
      problems.push(`${place}: ${file} cannot be read (${messageOf(error)}).`);
    }
  }
  if (step.rawSamples.length !== step.shards) {
    problems.push(
      `${place}: it has ${step.shards} shards, and samples of ${step.rawSamples.length}.`,
    );
  }
  return { shards, problems };
}

/** Requests are sent in the order of their arrivals: those of a shard are the first ones of it. */
function verifyOrder(place: string, { schedule }: LoadStep, samples: LoadSamples): string[] {
  if (schedule.kind === "rate") return verifyDue(place, schedule, samples);
  const { shard, of, requests } = samples;
  const stray = requests.find(
    ({ index, stage }, count) => index !== shard + count * of || stage !== 0,
  );
  return stray === undefined
    ? []
    : [`${place}: request ${stray.index} is not the next of its trace.`];
}

function verifyDue(
  place: string,
  schedule: RateSchedule,
  { shard, of, requests }: LoadSamples,
): string[] {
  try {
    const arrivals = shardArrivals({ schedule, shard, of });
    for (const { index, stage, dueNanoseconds } of requests) {
      const next = arrivals.next();
      const arrival = next.done === true ? undefined : next.value;
      if (
        arrival?.index === index &&
        arrival.stage === stage &&
        arrival.dueNanoseconds === dueNanoseconds
      ) {
        continue;
      }
      return [`${place}: request ${index} was not due as its seed says.`];
    }
    return [];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [`${place}: ${messageOf(error)}`];
  }
}

function verifyTrace(
  place: string,
  { schedule, stages }: LoadStep,
  shards: readonly LoadSamples[],
): string[] {
  if (schedule.kind === "rate") return [];
  const { offered } = totalsOf(stages);
  if (offered !== schedule.arrivals) {
    return [`${place}: its trace has ${schedule.arrivals} requests, and ${offered} were offered.`];
  }
  const due = dueOf(shards);
  // Only all of them have the trace's hash.
  if (due.length < offered) return [];
  const hash = createHash("sha256").update(JSON.stringify(due)).digest("hex");
  return hash === schedule.sha256 ? [] : [`${place}: its requests were not due as in its trace.`];
}

function dueOf(shards: readonly LoadSamples[]): readonly number[] {
  return shards
    .flatMap(({ requests }) => requests)
    .toSorted((one, other) => one.index - other.index)
    .map(({ dueNanoseconds }) => dueNanoseconds);
}

/**
 * The stages of a step, from the raw samples of its shards: histograms are added bucket by bucket.
 *
 * @param step its schedule, and the length of its stages
 * @param shards all of them, in their order
 */
export function deriveStages(
  { objective, lateAfterNanoseconds }: Pick<LoadRecord, "objective" | "lateAfterNanoseconds">,
  step: DerivedStep,
  shards: readonly LoadSamples[],
): readonly LoadStage[] {
  const rules = { limits: objective?.limits ?? {}, lateAfterNanoseconds };
  return secondsOf(step, shards).map((seconds, stage) => {
    const shares = shards.map((samples) => {
      const tally = new StageTally(
        { stage, seconds, offered: offeredTo(step, samples, stage) },
        rules,
      );
      for (const request of samples.requests) if (request.stage === stage) tally.add(request);
      return tally.summarize();
    });
    return mergeStages(shares);
  });
}

/** Of a trace that ended early the last moment is not known: then it is believed. */
function secondsOf(
  { schedule, stages }: DerivedStep,
  shards: readonly LoadSamples[],
): readonly number[] {
  if (schedule.kind === "rate") return stageSeconds(schedule);
  const dueNanoseconds = dueOf(shards);
  if (dueNanoseconds.length < schedule.arrivals) return stages.map(({ seconds }) => seconds);
  return stageSeconds({ kind: "trace", seed: schedule.seed, dueNanoseconds });
}

function offeredTo({ schedule }: DerivedStep, { shard, of }: LoadSamples, stage: number): number {
  // The shards of a trace differ by one at most.
  if (schedule.kind === "trace") return Math.ceil((schedule.arrivals - shard) / of);
  let count = 0;
  for (const arrival of shardArrivals({ schedule, shard, of })) {
    if (arrival.stage === stage) count += 1;
  }
  return count;
}
