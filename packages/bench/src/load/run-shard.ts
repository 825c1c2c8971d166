import { setMaxListeners } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { GenerationResult, Generator as TokenGenerator } from "@streamgauge/core";
import { systemClock, type Clock } from "../plan/clock.js";
import type { LoadStage } from "../record/index.js";
import { waitUntil, type WaitUntil } from "../scenarios/wait-until.js";
import { errorKind } from "./error-kind.js";
import { checkMix, requestOf, type LoadRequest, type RequestMix } from "./request-mix.js";
import type { RequestSample } from "./request-sample.js";
import { shardArrivals, stageSeconds, type Arrival, type Shard } from "./schedule.js";
import { StageTally, type TallyRules } from "./stage-tally.js";

/** What a load asks: any generator of core's contract. */
export type LoadGenerator = Pick<TokenGenerator, "generateStream">;

/** What a shard is run with. */
export interface ShardOptions extends TallyRules {
  readonly generator: LoadGenerator;
  readonly mix: RequestMix;
  /** A request that has not ended so long after its due moment fails as `timeout`. Default: never. */
  readonly timeoutSeconds?: number | undefined;
  /** Most requests in flight. Further ones wait, and are late. Default: no limit. */
  readonly maxConcurrency?: number | undefined;
  /** Ends the shard; what is in flight is stopped and counted as interrupted. */
  readonly signal?: AbortSignal | undefined;
  /** Told of each request that has ended. */
  readonly onSample?: ((sample: RequestSample) => void) | undefined;
  /** Told of each request that is sent. */
  readonly onSent?: (() => void) | undefined;
  /** Asked after each request whether the rest is of no interest; then the shard ends early. */
  readonly isDecided?: ((tallies: readonly StageTally[]) => boolean) | undefined;
  readonly clock?: Clock;
  readonly waitUntil?: WaitUntil;
}

/** What became of a shard. */
export interface ShardOutcome {
  readonly status: "complete" | "decided" | "interrupted";
  /** One for each stage of the schedule. */
  readonly stages: readonly LoadStage[];
}

/**
 * Sends the requests of a shard, each at its due moment, whether or not earlier ones have ended, and
 * returns when the last one has.
 *
 * All latencies count from the due moment. A client that measures from the moment of sending, and
 * sends late because it waits for an answer or is busy, leaves out what its users would wait
 * ("coordinated omission", Tene 2013).
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a schedule, shard or mix that is none. A request that
 *   fails is counted, and never thrown
 */
export async function runShard(shard: Shard, options: ShardOptions): Promise<ShardOutcome> {
  checkMix(options.mix);
  return await new ShardRun(shard, options).run();
}

class ShardRun {
  readonly #shard: Shard;
  readonly #options: ShardOptions;
  readonly #clock: Clock;
  readonly #tallies: readonly StageTally[];
  readonly #stop = new AbortController();
  /** Aborted by whoever called, or once all is decided. */
  readonly #signal: AbortSignal;
  readonly #inFlight = new Set<Promise<void>>();
  #isDecided = false;
  /** Resolves the wait for a free place. */
  #wake: (() => void) | undefined;

  constructor(shard: Shard, options: ShardOptions) {
    this.#shard = shard;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#tallies = talliesOf(shard, options);
    const { signal } = options;
    this.#signal =
      signal === undefined ? this.#stop.signal : AbortSignal.any([this.#stop.signal, signal]);
    // Every request in flight listens to it.
    setMaxListeners(0, this.#signal);
  }

  async run(): Promise<ShardOutcome> {
    const { mix, onSent } = this.#options;
    for (const arrival of shardArrivals(this.#shard)) {
      if (this.#signal.aborted) break;
      // Before it is due: long prompts take time to be made.
      const request = requestOf(mix, this.#shard.schedule.seed, arrival.index);
      await this.#untilDue(arrival);
      await this.#untilFree();
      if (this.#signal.aborted) break;
      const served = this.#serve(arrival, request).finally(() => {
        this.#inFlight.delete(served);
        this.#wake?.();
      });
      this.#inFlight.add(served);
      onSent?.();
    }
    await Promise.all(this.#inFlight);
    const stages = this.#tallies.map((tally) => tally.summarize());
    return { status: this.#statusOf(stages), stages };
  }

  async #untilDue({ dueNanoseconds }: Arrival): Promise<void> {
    const wait = this.#options.waitUntil ?? waitUntil;
    const dueAt = this.#shard.startAtNanoseconds + dueNanoseconds;
    // A client that is behind still has to read its answers: it takes turns with them.
    if (this.#clock.nowNanoseconds() >= dueAt) await nextTurn();
    else await wait(dueAt, this.#clock, this.#signal);
  }

  async #untilFree(): Promise<void> {
    const { maxConcurrency = Infinity } = this.#options;
    while (this.#inFlight.size >= maxConcurrency && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async #serve({ index, stage, dueNanoseconds }: Arrival, request: LoadRequest): Promise<void> {
    const sinceDue = (): number =>
      Math.round(this.#clock.nowNanoseconds() - this.#shard.startAtNanoseconds - dueNanoseconds);
    const delivered: number[] = [];
    const latenessNanoseconds = Math.max(0, sinceDue());
    let result: GenerationResult | undefined;
    let error: string | null = null;
    try {
      result = await this.#options.generator.generateStream(
        request.prompt,
        () => {
          delivered.push(sinceDue());
        },
        { ...request.config, ...this.#deadline(latenessNanoseconds), signal: this.#signal },
      );
    } catch (thrown) {
      error = errorKind(thrown);
    }
    const end = endOf(result, error);
    const isCompleted = end.outcome === "completed";
    const promptTokens = result?.usage.promptTokens ?? Number.NaN;
    this.#take({
      index,
      stage,
      dueNanoseconds,
      latenessNanoseconds,
      ...end,
      outputTokens: isCompleted ? (result?.usage.completionTokens ?? 0) : 0,
      promptTokens: isCompleted && Number.isSafeInteger(promptTokens) ? promptTokens : null,
      endNanoseconds: sinceDue(),
      deliveredNanoseconds: delivered,
    });
  }

  #take(sample: RequestSample): void {
    this.#tallies[sample.stage]?.add(sample);
    this.#options.onSample?.(sample);
    if (this.#signal.aborted || this.#options.isDecided?.(this.#tallies) !== true) return;
    this.#isDecided = true;
    this.#stop.abort();
  }

  #deadline(latenessNanoseconds: number): { readonly deadlineMilliseconds?: number } {
    const { timeoutSeconds } = this.#options;
    if (timeoutSeconds === undefined) return {};
    return { deadlineMilliseconds: Math.max(1, timeoutSeconds * 1e3 - latenessNanoseconds / 1e6) };
  }

  #statusOf(stages: readonly LoadStage[]): ShardOutcome["status"] {
    if (this.#isDecided) return "decided";
    const isWhole = stages.every(
      ({ arrived, offered, interrupted }) => arrived === offered && interrupted === 0,
    );
    return isWhole ? "complete" : "interrupted";
  }
}

function talliesOf(shard: Shard, rules: TallyRules): readonly StageTally[] {
  const { limits, lateAfterNanoseconds } = rules;
  const seconds = stageSeconds(shard.schedule);
  const offered = seconds.map(() => 0);
  for (const { stage } of shardArrivals(shard)) offered[stage] = (offered[stage] ?? 0) + 1;
  return seconds.map(
    (each, stage) =>
      new StageTally(
        { stage, seconds: each, offered: offered[stage] ?? 0 },
        { limits, lateAfterNanoseconds },
      ),
  );
}

function endOf(
  result: GenerationResult | undefined,
  error: string | null,
): Pick<RequestSample, "outcome" | "error"> {
  if (result === undefined) return { outcome: "failed", error: error ?? "unknown" };
  switch (result.finishReason) {
    case "aborted":
      return { outcome: "interrupted", error: null };
    case "deadline":
      return { outcome: "failed", error: "timeout" };
    case "cancelled":
    case "closed":
      return { outcome: "failed", error: result.finishReason };
    default:
      return { outcome: "completed", error: null };
  }
}
