import { MergeableLatencies } from "../measure/mergeable-latencies.js";
import {
  loadLatencies,
  type LoadLatency,
  type LoadStage,
  type ObjectiveLimits,
} from "../record/index.js";
import { isWithin } from "./objective.js";
import { errorsOf, sortedByName, totalOf, totalsOf } from "./stage-counts.js";
import { timesOf, type RequestSample } from "./request-sample.js";

/** How requests are judged. */
export interface TallyRules {
  /** None: every completed request is good. */
  readonly limits: ObjectiveLimits;
  /** A request that is sent later than this is late. */
  readonly lateAfterNanoseconds: number;
}

/** Counts what becomes of the requests of one stage. */
export class StageTally {
  readonly #stage: Pick<LoadStage, "stage" | "seconds" | "offered">;
  readonly #rules: TallyRules;
  readonly #latencies = newLatencies();
  readonly #errors = new Map<string, number>();
  /** When requests were sent and when they ended, after the beginning of the step. */
  readonly #sent: number[] = [];
  readonly #ended: number[] = [];
  #completed = 0;
  #failed = 0;
  #interrupted = 0;
  #late = 0;
  #good = 0;
  #outputTokens = 0;
  #promptTokens = 0;

  /** @param stage its number, its length, and how many arrivals the schedule has for this tally */
  constructor(stage: Pick<LoadStage, "stage" | "seconds" | "offered">, rules: TallyRules) {
    this.#stage = stage;
    this.#rules = rules;
  }

  /** Arrivals that the schedule has for this tally. */
  get offered(): number {
    return this.#stage.offered;
  }

  /** Requests that were sent, whatever became of them. */
  get arrived(): number {
    return this.#sent.length;
  }

  /** Requests that ended, and were not good. */
  get bad(): number {
    return this.#completed - this.#good + this.#failed;
  }

  /** Requests that were sent late. */
  get late(): number {
    return this.#late;
  }

  /** Takes in a request that has ended. */
  add(sample: RequestSample): void {
    const { dueNanoseconds, latenessNanoseconds, endNanoseconds } = sample;
    this.#sent.push(dueNanoseconds + latenessNanoseconds);
    this.#ended.push(dueNanoseconds + endNanoseconds);
    this.#latencies.lateness.add(latenessNanoseconds);
    if (latenessNanoseconds > this.#rules.lateAfterNanoseconds) this.#late += 1;
    switch (sample.outcome) {
      case "completed":
        this.#complete(sample);
        break;
      case "failed": {
        const kind = sample.error ?? "unknown";
        this.#failed += 1;
        this.#errors.set(kind, (this.#errors.get(kind) ?? 0) + 1);
        break;
      }
      case "interrupted":
        this.#interrupted += 1;
        break;
      default:
        sample.outcome satisfies never;
    }
  }

  /** What was counted so far, as a record holds it. */
  summarize(): LoadStage {
    return {
      ...this.#stage,
      arrived: this.arrived,
      completed: this.#completed,
      failed: this.#failed,
      interrupted: this.#interrupted,
      late: this.#late,
      good: this.#good,
      errors: sortedByName(this.#errors),
      outputTokens: this.#outputTokens,
      promptTokens: this.#promptTokens,
      mostInFlight: mostAtOnce(this.#sent, this.#ended),
      lastEndNanoseconds: latest(this.#ended),
      ...summarizeAll(this.#latencies),
    };
  }

  #complete(sample: RequestSample): void {
    const times = timesOf(sample);
    const { timeToFirstToken, interTokenLatency, timePerOutputToken, endToEnd } = this.#latencies;
    this.#completed += 1;
    this.#outputTokens += sample.outputTokens;
    this.#promptTokens += sample.promptTokens ?? 0;
    if (isWithin(this.#rules.limits, times)) this.#good += 1;
    if (times.timeToFirstTokenNanoseconds !== null) {
      timeToFirstToken.add(times.timeToFirstTokenNanoseconds);
    }
    for (const gap of times.gapsNanoseconds) interTokenLatency.add(gap);
    if (times.timePerOutputTokenNanoseconds !== null) {
      timePerOutputToken.add(times.timePerOutputTokenNanoseconds);
    }
    endToEnd.add(times.endToEndNanoseconds);
  }
}

/**
 * The stage that several shards had a share of. Everything in it is exact: its histograms are, byte
 * for byte, those that one shard would have made of all requests. Only `mostInFlight` is a bound,
 * the sum over shards.
 *
 * @param shares at least one, of the same stage
 * @throws RangeError for shares of different stages, and for histograms that cannot be added
 */
export function mergeStages(shares: readonly LoadStage[]): LoadStage {
  const [first, ...others] = shares;
  if (first === undefined) throw new RangeError("There is no share of a stage to merge.");
  for (const { stage, seconds } of others) {
    if (stage === first.stage && seconds === first.seconds) continue;
    throw new RangeError(
      `Shares of the stages ${first.stage} and ${stage} cannot be merged: they are of two schedules.`,
    );
  }
  const latencies = newLatencies();
  for (const share of shares) {
    for (const metric of loadLatencies) latencies[metric].merge(share[metric]);
  }
  return {
    stage: first.stage,
    seconds: first.seconds,
    ...totalsOf(shares),
    errors: errorsOf(shares),
    outputTokens: totalOf(shares, "outputTokens"),
    promptTokens: totalOf(shares, "promptTokens"),
    mostInFlight: totalOf(shares, "mostInFlight"),
    lastEndNanoseconds: latest(
      shares.flatMap(({ lastEndNanoseconds: end }) => (end === null ? [] : [end])),
    ),
    ...summarizeAll(latencies),
  };
}

function newLatencies(): Readonly<Record<LoadLatency, MergeableLatencies>> {
  return {
    lateness: new MergeableLatencies(),
    timeToFirstToken: new MergeableLatencies(),
    interTokenLatency: new MergeableLatencies(),
    timePerOutputToken: new MergeableLatencies(),
    endToEnd: new MergeableLatencies(),
  };
}

function summarizeAll(
  latencies: Readonly<Record<LoadLatency, MergeableLatencies>>,
): Pick<LoadStage, LoadLatency> {
  return {
    lateness: latencies.lateness.summarize(),
    timeToFirstToken: latencies.timeToFirstToken.summarize(),
    interTokenLatency: latencies.interTokenLatency.summarize(),
    timePerOutputToken: latencies.timePerOutputToken.summarize(),
    endToEnd: latencies.endToEnd.summarize(),
  };
}

function latest(moments: readonly number[]): number | null {
  return moments.length === 0 ? null : moments.reduce((last, now) => Math.max(last, now));
}

/** Most requests between their begin and their end; one that begins as another ends follows it. */
function mostAtOnce(begins: readonly number[], ends: readonly number[]): number {
  const begun = begins.toSorted((one, other) => one - other);
  const ended = ends.toSorted((one, other) => one - other);
  let most = 0;
  let gone = 0;
  for (const [index, begin] of begun.entries()) {
    while ((ended[gone] ?? Infinity) <= begin) gone += 1;
    most = Math.max(most, index + 1 - gone);
  }
  return most;
}
