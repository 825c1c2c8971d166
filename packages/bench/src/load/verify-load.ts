import { messageOf } from "@streamgauge/core";
import type { FoundRate, LoadRecord, LoadStep } from "../record/index.js";
import { isExpected, type Agreement } from "../run/agreement.js";
import type { ReadBeside } from "../run/cell-samples.js";
import { firstDifference } from "../statistics/difference.js";
import { findRate } from "./find-rate.js";
import { searchVerdict } from "./step-verdict.js";
import { verifyLoadStep } from "./verify-load-step.js";

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
    const findings = await verifyLoadStep(record, { index, step }, readFile);
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
