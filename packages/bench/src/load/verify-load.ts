import { createHash } from "node:crypto";
import { messageOf } from "@streamgauge/core";
import type { FoundRate, LoadRecord, LoadStage, LoadStep, RateSchedule } from "../record/index.js";
import { describeOther, isExpected, type Agreement } from "../run/agreement.js";
import { describeOtherBytes, requirePlainName, type ReadBeside } from "../run/cell-samples.js";
import { firstDifference } from "../statistics/difference.js";
import { findRate } from "./find-rate.js";
import { readLoadSamples, type LoadSamples } from "./load-samples.js";
import { shardArrivals } from "./schedule.js";
import { mergeStages, StageTally } from "./stage-tally.js";
import { judgeStep, searchVerdict } from "./step-verdict.js";

/** A record of a load, held against its raw samples and its schedules. */
export interface LoadVerification {
  /** `nothing` when no step has ended: there is nothing to verify. */
  readonly outcome: "agrees" | "differs" | "nothing";
  readonly steps: readonly LoadStepVerification[];
  /** The rate that was found, from the verdicts of the steps. */
  readonly foundRate: Agreement;
  /** What is wrong, in a sentence each. */
  readonly problems: readonly string[];
}

/** What was found out about a step. */
export interface LoadStepVerification {
  /** From 1. */
  readonly step: number;
  /** Files by their SHA-256. */
  readonly hash: Agreement;
  /** That requests were due when the schedule says. */
  readonly arrivals: Agreement;
  /** Counts, histograms and good requests. */
  readonly stages: Agreement;
  readonly verdict: Agreement;
}

/** What no load can be verified for, in a sentence. */
export const neverVerifiedOfLoads: string =
  "Nothing shows that the raw samples are genuine, nor what the server did with the requests.";

/**
 * Derives all stages and verdicts of a load again: arrivals from the seed, counts and histograms from
 * the raw samples, verdicts from these, and the found rate from the verdicts.
 *
 * @param readFile gives the bytes of a file that is named relative to the record
 */
export async function verifyLoad(
  record: LoadRecord,
  readFile: ReadBeside,
): Promise<LoadVerification> {
  const problems: string[] = [];
  const steps: LoadStepVerification[] = [];
  for (const [index, step] of record.steps.entries()) {
    const findings = await verifyStep(record, { index, step }, readFile);
    problems.push(...Object.values(findings).flat());
    const agreement = (each: readonly string[]): Agreement =>
      each.length === 0 ? "agrees" : "differs";
    steps.push({
      step: index + 1,
      hash: agreement(findings.hash),
      arrivals: agreement(findings.arrivals),
      stages: agreement(findings.stages),
      verdict: agreement(findings.verdict),
    });
  }
  const rateProblems = await verifyFoundRate(record);
  problems.push(...rateProblems);
  return {
    outcome: record.steps.length === 0 ? "nothing" : problems.length === 0 ? "agrees" : "differs",
    steps,
    foundRate:
      record.foundRate === null ? "unchecked" : rateProblems.length === 0 ? "agrees" : "differs",
    problems,
  };
}

/** What is wrong with each part of a step. */
type StepFindings = Readonly<Record<"hash" | "arrivals" | "stages" | "verdict", readonly string[]>>;

async function verifyStep(
  record: LoadRecord,
  { index, step }: { readonly index: number; readonly step: LoadStep },
  readFile: ReadBeside,
): Promise<StepFindings> {
  const place = `Step ${index + 1}`;
  const verdict = describeOther(`${place}, verdict`, step.verdict, () =>
    judgeStep(record.objective, step.status, step.stages),
  );
  const shards: LoadSamples[] = [];
  const hash: string[] = [];
  for (const [shard, reference] of step.rawSamples.entries()) {
    const { file } = reference;
    try {
      const bytes = await readFile(requirePlainName(reference));
      const otherBytes = describeOtherBytes(reference, bytes);
      if (otherBytes !== undefined) hash.push(`${place}: ${file}: ${otherBytes}.`);
      const samples = await readLoadSamples(bytes);
      const { runId, step: number, shard: own, of } = samples;
      if (runId !== record.runId || number !== index || own !== shard || of !== step.shards) {
        hash.push(`${place}: ${file} has the samples of another run, step or shard.`);
      }
      shards.push(samples);
    } catch (error) {
      if (!isExpected(error)) throw error;
      hash.push(`${place}: ${file} cannot be read (${messageOf(error)}).`);
    }
  }
  if (step.rawSamples.length !== step.shards) {
    hash.push(`${place}: it has ${step.shards} shards, and samples of ${step.rawSamples.length}.`);
  }
  // What is derived from part of the samples would differ everywhere.
  if (hash.length > 0) return { hash, arrivals: [], stages: [], verdict };
  return {
    hash,
    arrivals: verifyArrivals(place, step, shards),
    stages: describeOther(`${place}, stages`, step.stages, () =>
      deriveStages(record, step, shards),
    ),
    verdict,
  };
}

function verifyArrivals(
  place: string,
  { schedule, stages }: LoadStep,
  shards: readonly LoadSamples[],
): string[] {
  if (schedule.kind === "rate") {
    return shards.flatMap((samples) => verifyDue(place, schedule, samples));
  }
  const offered = stages.reduce((sum, stage) => sum + stage.offered, 0);
  const due = shards
    .flatMap(({ requests }) => requests)
    .toSorted((one, other) => one.index - other.index)
    .map(({ dueNanoseconds }) => dueNanoseconds);
  if (offered !== schedule.arrivals) {
    return [`${place}: its trace has ${schedule.arrivals} requests, and ${offered} were offered.`];
  }
  // Only all of them have the trace's hash.
  if (due.length < offered) return [];
  const hash = createHash("sha256").update(JSON.stringify(due)).digest("hex");
  return hash === schedule.sha256 ? [] : [`${place}: its requests were not due as in its trace.`];
}

function verifyDue(
  place: string,
  schedule: RateSchedule,
  { shard, of, requests }: LoadSamples,
): string[] {
  try {
    const expected = new Map(
      [...shardArrivals({ schedule, shard, of })].map((arrival) => [arrival.index, arrival]),
    );
    const seen = new Set<number>();
    for (const { index, stage, dueNanoseconds } of requests) {
      const arrival = expected.get(index);
      if (
        seen.has(index) ||
        arrival?.dueNanoseconds !== dueNanoseconds ||
        arrival.stage !== stage
      ) {
        return [`${place}: request ${index} was not due as its seed says.`];
      }
      seen.add(index);
    }
    return [];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [`${place}: ${messageOf(error)}`];
  }
}

function deriveStages(
  { objective, lateAfterNanoseconds }: LoadRecord,
  step: LoadStep,
  shards: readonly LoadSamples[],
): readonly LoadStage[] {
  const rules = { limits: objective?.limits ?? {}, lateAfterNanoseconds };
  return step.stages.map(({ stage, seconds, offered }) => {
    const shares = shards.map((samples) => {
      const share = { stage, seconds, offered: offeredTo(step, samples, { stage, offered }) };
      const tally = new StageTally(share, rules);
      for (const request of samples.requests) if (request.stage === stage) tally.add(request);
      return tally.summarize();
    });
    return mergeStages(shares);
  });
}

/** A trace's arrivals are counted by index: shards differ by one at most. */
function offeredTo(
  { schedule }: LoadStep,
  { shard, of }: LoadSamples,
  { stage, offered }: { readonly stage: number; readonly offered: number },
): number {
  if (schedule.kind === "trace") return Math.ceil((offered - shard) / of);
  let count = 0;
  for (const arrival of shardArrivals({ schedule, shard, of })) {
    if (arrival.stage === stage) count += 1;
  }
  return count;
}

/** Makes the search again, with the verdicts of the steps in their order. */
async function verifyFoundRate({ foundRate, steps, objective }: LoadRecord): Promise<string[]> {
  if (foundRate === null) return [];
  const left = steps.map((step) => ({
    perSecond: rateOf(step),
    verdict: searchVerdict(objective, step),
  }));
  const startPerSecond = left[0]?.perSecond;
  if (startPerSecond === undefined) {
    return foundRate.metPerSecond === null ? [] : ["A rate was found, and there is no step."];
  }
  const derive = async (): Promise<FoundRate> =>
    await findRate({ startPerSecond, precision: foundRate.precision }, async (perSecond) => {
      const next = left.shift();
      if (next === undefined) return await Promise.resolve("interrupted");
      if (next.perSecond === perSecond) return next.verdict;
      throw new RangeError(
        `It tried ${next.perSecond} per second where it had to try ${perSecond}.`,
      );
    });
  try {
    const derived = await derive();
    const found = firstDifference(foundRate, derived, "it", "from the verdicts");
    return [
      ...(found === undefined ? [] : [`The found rate: ${found}.`]),
      ...(left.length === 0 ? [] : [`The search was over ${left.length} steps before its end.`]),
    ];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [`The search: ${messageOf(error)}`];
  }
}

function rateOf({ schedule }: LoadStep): number | undefined {
  return schedule.kind === "rate" ? schedule.stages[0]?.fromPerSecond : undefined;
}
