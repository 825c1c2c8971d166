import { StreamgaugeError, type GenerationResult } from "@streamgauge/core";
import type { SlowConsumerMeasurement } from "../record/load.js";
import { TokenRecorder, type TokenTimes } from "../measure/recorder.js";
import { measurementsOn, paced, withRing } from "../plan/build-stage.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import { modeOf, workOf, type MeasurementOptions } from "../measure/measurement-work.js";
import type { MeasurementContext, MeasurementPlan, Scenario } from "../plan/stage.js";
import { summarizeLatencies } from "./summarize-latencies.js";
import { takeTokens, type StreamTreatment } from "./take-tokens.js";
import { waitUntil } from "./wait-until.js";

/** What {@link slowConsumerMeasurement} is told. */
export interface SlowConsumerOptions extends MeasurementOptions {
  readonly treatment: StreamTreatment;
  /** Choose some times what the ring holds, so that it is full for most of the time. */
  readonly tokens: number;
  /** Choose some times what the engine takes for a token. */
  readonly consumerMicrosecondsPerToken: number;
}

/**
 * A consumer that waits for something after each token, as one does that writes
 * to a slow connection: what waits is bounded by the ring, memory does not grow,
 * nothing is lost, and the pace is the consumer's alone.
 *
 * ```text
 * slowdown       = (result settled − call made) / time that the consumer took for all tokens
 * tokens waiting = tokens made until a moment − tokens delivered before it,
 *                  the one that is being delivered included
 * growth         = largest resident set, asked at each token − the one before
 * ```
 *
 * A ring of n slots lets n + 2 tokens wait: one is being delivered, and the
 * producer holds one for which there is no room.
 */
export function slowConsumerMeasurement(options: SlowConsumerOptions): MeasurementPlan {
  const { treatment, tokens, consumerMicrosecondsPerToken } = options;
  return {
    id: options.id ?? `slow-consumer-${treatment}-${tokens}-${consumerMicrosecondsPerToken}us`,
    expectedSeconds: (tokens * consumerMicrosecondsPerToken) / 1e6,
    async measure(generator, context) {
      const measured = await measureSlowConsumer(generator, options, context);
      return measured === undefined ? {} : { slowConsumers: [measured] };
    },
  };
}

type DeliveryTimes = Pick<TokenTimes, "deliveredNanoseconds" | "producedNanoseconds">;

/** Tokens of a generation that is made first, for the memory that only the first one takes. */
const settlingTokens = 10;

async function measureSlowConsumer(
  generator: ScenarioGenerator,
  { treatment, tokens, consumerMicrosecondsPerToken }: SlowConsumerOptions,
  context: MeasurementContext,
): Promise<SlowConsumerMeasurement | undefined> {
  const { clock, plan, signal } = context;
  const { prompt, config } = workOf(context, tokens);
  const settling = { prompt, config: { ...config, maxTokens: settlingTokens } };
  await takeTokens(generator, treatment, settling, () => undefined);

  const recorder = new TokenRecorder(clock, tokens);
  const indices = new Int32Array(tokens);
  const residentBytesBefore = process.memoryUsage.rss();
  let mostResidentBytes = residentBytesBefore;
  const work = { prompt, config: { ...config, ...(signal === undefined ? {} : { signal }) } };
  let consumerNanoseconds = 0;
  const startNanoseconds = clock.nowNanoseconds();
  const result = await takeTokens(generator, treatment, work, async (token) => {
    const nowNanoseconds = clock.nowNanoseconds();
    indices[recorder.count] = token.index;
    recorder.record(token);
    mostResidentBytes = Math.max(mostResidentBytes, process.memoryUsage.rss());
    await waitUntil(nowNanoseconds + consumerMicrosecondsPerToken * 1000, clock, signal);
    consumerNanoseconds += clock.nowNanoseconds() - nowNanoseconds;
  });
  const durationNanoseconds = Math.round(clock.nowNanoseconds() - startNanoseconds);
  if (signal?.aborted === true) return undefined;

  refuseLosses(result, indices, recorder.count, tokens);
  const times = recorder.since(startNanoseconds);
  const latencies = deliveryLatencies(times);
  return {
    ...modeOf(plan, treatment, tokens),
    consumerMicrosecondsPerToken,
    ringCapacity: ringCapacityOf(generator),
    durationNanoseconds,
    slowdown: durationNanoseconds / consumerNanoseconds,
    mostTokensWaiting: latencies === undefined ? null : mostWaiting(times),
    deliveryLatency: latencies === undefined ? null : summarizeLatencies(latencies),
    residentGrowthBytes: mostResidentBytes - residentBytesBefore,
  };
}

/**
 * Most tokens at one moment that were made and not yet delivered. It is found
 * just before a delivery: only there does the number fall.
 */
export function mostWaiting({ deliveredNanoseconds, producedNanoseconds }: DeliveryTimes): number {
  let most = 0;
  let made = 0;
  for (const [deliveredBefore, moment] of deliveredNanoseconds.entries()) {
    while ((producedNanoseconds[made] ?? Infinity) <= moment) made += 1;
    most = Math.max(most, made - deliveredBefore);
  }
  return most;
}

/** Undefined where the generator does not say when it made its tokens. */
function deliveryLatencies(times: DeliveryTimes): number[] | undefined {
  const { deliveredNanoseconds, producedNanoseconds } = times;
  if (producedNanoseconds.some((nanoseconds) => Number.isNaN(nanoseconds))) return undefined;
  return Array.from(
    deliveredNanoseconds,
    (delivered, index) => delivered - (producedNanoseconds[index] ?? Number.NaN),
  );
}

/** @throws StreamgaugeError `OUTPUT_MISMATCH` unless each token came once and in order */
function refuseLosses(
  { ids }: GenerationResult,
  indices: Int32Array,
  delivered: number,
  tokens: number,
): void {
  const misplaced = indices.findIndex((index, position) => index !== position);
  if (misplaced === -1 && delivered === tokens && ids.length === tokens) return;
  throw new StreamgaugeError(
    "OUTPUT_MISMATCH",
    `A slow consumer got ${delivered} of ${tokens} tokens and a result of ${ids.length}` +
      (misplaced === -1 ? "." : `; the first out of its place is the one at ${misplaced}.`) +
      " Each token has to come once and in order, however slowly it is taken.",
  );
}

/** From what the generator says about itself, where it has a ring. */
function ringCapacityOf(generator: ScenarioGenerator): number | null {
  const description = generator.describe();
  if (!isObject(description) || !isObject(description["ring"])) return null;
  const { capacity } = description["ring"];
  return typeof capacity === "number" ? capacity : null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** A small ring and the default one, behind a consumer ten times slower than the engine. */
export const slowConsumer: Scenario = {
  name: "slow-consumer",
  description: "a consumer slower than the engine: what waits, and what it costs in memory",
  stages: (size) => {
    const tokens = size === "quick" ? 500 : 2000;
    return [16, 256].map((capacity) =>
      measurementsOn(
        withRing(paced(100, "pooled"), { capacity, publishBatch: 1 }),
        (["stream", "streamAsync"] as const).map((treatment) =>
          slowConsumerMeasurement({ treatment, tokens, consumerMicrosecondsPerToken: 1000 }),
        ),
      ),
    );
  },
};
