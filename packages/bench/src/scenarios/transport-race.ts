import { StreamgaugeError, type StreamToken } from "@streamgauge/core";
import { resolveRingOptions, type RingOptions } from "@streamgauge/runtime/ring";
import { interleave, runInTurn } from "../measure/interleave.js";
import { LatencyHistogram } from "../measure/latency-histogram.js";
import type {
  RingDescription,
  TransportBlock,
  TransportMeasurement,
  TransportRun,
} from "../record/index.js";
import { TokenRecorder } from "../measure/recorder.js";
import { concludeTransports } from "../conclude/transport-analysis.js";
import { WarmUpGate } from "../measure/warm-up.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import { workOf } from "../measure/measurement-work.js";
import type { MeasurementContext } from "../plan/stage.js";
import { takeTokens } from "./take-tokens.js";
import {
  openProducerThread,
  type Payload,
  type ProducerThread,
  type TransportLoad,
} from "./transports/producer-thread.js";
import type { TransportOptions } from "./transports/transport-options.js";
import { transportOf, type TransportPlan } from "./transports/transport-plan.js";

/**
 * Runs the race that {@link TransportOptions} describe. This module imports the runtime's
 * ring: load it only to measure.
 *
 * @returns undefined when it was aborted
 */
export async function raceTransports(
  generator: ScenarioGenerator,
  options: TransportOptions,
  context: MeasurementContext,
): Promise<TransportMeasurement | undefined> {
  const { openProducer = openProducerThread } = options;
  const payload = await payloadOf(generator, context);
  const producer = await openProducer(payload);
  try {
    return await new TransportRace(producer, payload, options, context).run();
  } finally {
    await producer.close();
  }
}

/** Different tokens, which are carried over and over. */
const payloadTokens = 1000;

async function payloadOf(
  generator: ScenarioGenerator,
  context: MeasurementContext,
): Promise<readonly Payload[]> {
  const payload: Payload[] = [];
  await takeTokens(generator, "stream", workOf(context, payloadTokens), ({ id, text }) => {
    payload.push({ id, text });
  });
  return payload;
}

/** Share of a load's tokens in a warm-up run: what gets warm is warm after some of them. */
const warmUpShare = 0.1;

class TransportRace {
  readonly #producer: ProducerThread;
  readonly #payload: readonly Payload[];
  readonly #options: TransportOptions;
  readonly #context: MeasurementContext;
  readonly #recorder: TokenRecorder;
  readonly #latencies = new Map<string, LatencyHistogram>();

  constructor(
    producer: ProducerThread,
    payload: readonly Payload[],
    options: TransportOptions,
    context: MeasurementContext,
  ) {
    this.#producer = producer;
    this.#payload = payload;
    this.#options = options;
    this.#context = context;
    this.#recorder = new TokenRecorder(context.clock, options.load.tokens);
  }

  /** Undefined when it was aborted. */
  async run(): Promise<TransportMeasurement | undefined> {
    const { load, transports, blocks: planned, timeBudgetSeconds } = this.#options;
    const { seed, clock, signal } = this.#context;
    const warmUp = new WarmUpGate();
    const shortened = { ...load, tokens: Math.ceil(load.tokens * warmUpShare) };
    const blocks: TransportBlock[] = [];
    const status = await interleave<TransportPlan, TransportBlock>({
      members: transports,
      seed,
      clock,
      signal,
      blocks: planned,
      timeBudget: { seconds: timeBudgetSeconds },
      isWarm: () => warmUp.finished,
      measuredOrders: "fresh",
      runBlock: async (order, phase) => {
        const runs = await runInTurn(order, signal, (plan) =>
          this.#carry(plan, phase === "warm-up" ? shortened : load),
        );
        return runs === undefined ? undefined : { runs };
      },
      onWarmUp: ({ runs }) =>
        warmUp.add(runs.reduce((sum, run) => sum + run.durationNanoseconds, 0)),
      onWarm: () => this.#latencies.clear(),
      onBlock: (block) => void blocks.push(block),
    });
    return status === "interrupted" ? undefined : this.#conclude(blocks, warmUp.summary);
  }

  async #carry(plan: TransportPlan, load: TransportLoad): Promise<TransportRun> {
    const { clock } = this.#context;
    const recorder = this.#recorder;
    const check = new DeliveryCheck(this.#payload);
    recorder.reset();
    const startNanoseconds = clock.nowNanoseconds();
    const cost = await this.#producer.carry(plan, load, (token) => {
      recorder.record(token);
      check.take(token);
    });
    if (plan.kind === "none") return { transport: plan.name, ...cost };
    check.require(plan.name, load.tokens);
    const { deliveredNanoseconds, producedNanoseconds } = recorder.since(startNanoseconds);
    const histogram = this.#histogramOf(plan.name);
    for (const [index, delivered] of deliveredNanoseconds.entries()) {
      histogram.add(delivered - (producedNanoseconds[index] as number));
    }
    return { transport: plan.name, ...cost };
  }

  #histogramOf(transport: string): LatencyHistogram {
    const histogram = this.#latencies.get(transport) ?? new LatencyHistogram();
    this.#latencies.set(transport, histogram);
    return histogram;
  }

  #conclude(
    blocks: readonly TransportBlock[],
    warmUp: TransportMeasurement["warmUp"],
  ): TransportMeasurement {
    const { scenario, load, transports, baselines, claims = [] } = this.#options;
    return concludeTransports({
      scenario,
      generator: this.#context.plan.id,
      ...load,
      warmUp,
      blocks,
      transports: transports.map((plan) => ({
        transport: plan.name,
        ring: plan.kind === "ring" ? describeRing(plan.ring) : null,
        hasBackpressure: transportOf(plan).hasBackpressure,
        deliveryLatency: this.#latencies.get(plan.name)?.summarize() ?? null,
        comparisons: baselines
          .filter((against) => against !== plan.name)
          .map((against) => ({ against })),
      })),
      claims,
    });
  }
}

/** Sees to it that each token comes once, in order, and with its content. */
class DeliveryCheck {
  readonly #payload: readonly Payload[];
  #count = 0;
  #firstWrong: string | undefined;

  constructor(payload: readonly Payload[]) {
    this.#payload = payload;
  }

  take({ index, id, text }: StreamToken): void {
    const position = this.#count;
    this.#count = position + 1;
    const expected = this.#payload[position % this.#payload.length];
    if (index === position && id === expected?.id && text === expected.text) return;
    this.#firstWrong ??= `at ${position} came the token ${index} with id ${id}`;
  }

  /** @throws StreamgaugeError `OUTPUT_MISMATCH` */
  require(transport: string, tokens: number): void {
    if (this.#count === tokens && this.#firstWrong === undefined) return;
    throw new StreamgaugeError(
      "OUTPUT_MISMATCH",
      `${transport} delivered ${this.#count} of ${tokens} tokens` +
        (this.#firstWrong === undefined ? "." : `; the first wrong one: ${this.#firstWrong}.`) +
        " Each has to come once, in order and with its content: a transport that loses one is not measured.",
    );
  }
}

function describeRing(ring: RingOptions): RingDescription {
  const { capacity, publishBatch, wait, spinMicroseconds, maxDelayMilliseconds } =
    resolveRingOptions(ring);
  return { capacity, publishBatch, wait, spinMicroseconds, maxDelayMilliseconds };
}
