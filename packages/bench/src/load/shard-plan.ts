import { StreamgaugeError, messageOf, resolvePrompt, type Prompt } from "@streamgauge/core";
import {
  loadTarget,
  objectiveLimits,
  schedule,
  type LoadTarget,
  type ObjectiveLimits,
  type Schedule,
} from "../record/index.js";
import {
  array,
  boolean,
  nullable,
  number,
  object,
  oneOf,
  oneOfKinds,
  optional,
  type Check,
} from "../record/shape.js";
import { parseLength, showLength, type Length } from "./length.js";
import { checkMix, type ListedRequest, type RequestMix } from "./request-mix.js";

/** What the shards of a step have in common. Plain data, so that it crosses to other machines. */
export interface ShardPlan {
  readonly schedule: Schedule;
  readonly mix: RequestMix;
  readonly timeoutSeconds: number;
  /** Most requests in flight; null without a limit. */
  readonly maxConcurrency: number | null;
  /** What a good request keeps, where bad ones are counted while the step runs; null where not. */
  readonly limits: ObjectiveLimits | null;
}

/** An entry, but for its prompt: core says what is one. */
type UncheckedRequest = Omit<ListedRequest, "prompt">;

/** Every listed prompt is kept in memory; more entries were made to do harm. */
const mostRequests = 10_000_000;

const length: Check<Length> = oneOfKinds("fixed, uniform or lognormal", {
  fixed: object({ kind: oneOf("fixed"), count: number }),
  uniform: object({ kind: oneOf("uniform"), lowest: number, highest: number }),
  lognormal: object({ kind: oneOf("lognormal"), median: number, sigma: number, highest: number }),
});

const listed: Check<UncheckedRequest> = object({
  inputTokens: optional(number),
  blocks: optional(array(number)),
  outputTokens: optional(number),
});

const checkPlan: Check<
  Omit<ShardPlan, "mix"> & {
    readonly mix: Omit<RequestMix, "list"> & { readonly list: readonly UncheckedRequest[] };
  }
> = object({
  schedule,
  mix: object({
    source: oneOf("filler", "list", "trace"),
    list: array(listed),
    inputTokens: length,
    outputTokens: length,
    ignoreEos: boolean,
  }),
  timeoutSeconds: number,
  maxConcurrency: nullable(number),
  limits: nullable(objectiveLimits),
});

/**
 * Checks a plan that another machine made. Its schedule is checked by whoever draws its arrivals.
 *
 * @param json as a parser gave it: anything
 * @throws StreamgaugeError `INVALID_OPTION` saying what is wrong
 */
export function parseShardPlan(json: unknown): ShardPlan {
  try {
    checkPlan(json, "plan");
    // The prompts are those of the same value, checked below.
    const plan: ShardPlan = json;
    const { list, inputTokens, outputTokens } = plan.mix;
    if (list.length > mostRequests) throw new RangeError(`It has ${list.length} requests.`);
    for (const { prompt } of list) if (prompt !== undefined) resolvePrompt(prompt);
    for (const entry of list) requireCounts(entry);
    parseLength(showLength(inputTokens), "inputTokens");
    parseLength(showLength(outputTokens), "outputTokens");
    checkMix(plan.mix);
    return plan;
  } catch (cause) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `The plan of a load is none: ${messageOf(cause)} Run the same version of streamgauge on every ` +
        `machine.`,
      { cause },
    );
  }
}

/** Whether a record would take it; for what another machine says. */
export function isLoadTarget(value: unknown): value is LoadTarget {
  const check: Check<LoadTarget> = loadTarget;
  try {
    check(value, "target");
    return true;
  } catch {
    return false;
  }
}

/** The mix with prompts that survive JSON: typed arrays do not. @throws StreamgaugeError `INVALID_PROMPT` */
export function portableMix(mix: RequestMix): RequestMix {
  const list = mix.list.map(({ prompt, ...entry }): ListedRequest => {
    const resolved: Prompt | undefined = prompt === undefined ? undefined : resolvePrompt(prompt);
    return { ...entry, ...(resolved !== undefined && { prompt: resolved }) };
  });
  return { ...mix, list };
}

/** The share of a shard in the most requests in flight; undefined where it would have none. */
export function shareOfConcurrency(
  most: number,
  { shard, of }: { readonly shard: number; readonly of: number },
): number | undefined {
  const share = Math.floor(most / of) + (shard < most % of ? 1 : 0);
  return share === 0 ? undefined : share;
}

function requireCounts({ inputTokens, outputTokens }: UncheckedRequest): void {
  for (const count of [inputTokens, outputTokens]) {
    if (count !== undefined) parseLength(String(count), "A request's length");
  }
}
