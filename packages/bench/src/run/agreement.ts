import { isStreamgaugeError, messageOf } from "@streamgauge/core";
import type { ResultRecord } from "../record/index.js";
import { firstDifference } from "../statistics/difference.js";

/** `unchecked` where there is nothing to compare with. */
export type Agreement = "agrees" | "differs" | "unchecked";

/** What was found out about a part of a record. */
export interface Finding {
  readonly agreement: Agreement;
  /** What is wrong, in a sentence each. */
  readonly problems: readonly string[];
  /** What could not be checked, and why, in a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Whether a record was concluded by the rules before decision 6 took process means: its intervals and
 * verdicts cannot be derived again by those of today.
 */
export function followsOlderRules({ version }: Pick<ResultRecord, "version">): boolean {
  return version === 3;
}

/** @param checked whether there was something to compare with */
export function findingOf(
  checked: boolean,
  problems: readonly string[],
  notes: readonly string[] = [],
): Finding {
  const agreement = problems.length > 0 ? "differs" : checked ? "agrees" : "unchecked";
  return { agreement, problems, notes };
}

/** Empty where all of it follows from what it is derived from. */
export function describeOther(place: string, recorded: unknown, derive: () => unknown): string[] {
  try {
    const difference = firstDifference(recorded, derive(), "it");
    return difference === undefined ? [] : [`${place}: ${difference}.`];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [`${place}: ${messageOf(error)}`];
  }
}

/** What damaged or foreign files lead to, as opposed to a mistake in this program. */
export function isExpected(error: unknown): boolean {
  const isSystemError = error instanceof Error && "syscall" in error;
  return isSystemError || isStreamgaugeError(error) || error instanceof RangeError;
}
