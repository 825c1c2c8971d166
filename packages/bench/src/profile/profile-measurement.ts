import { StreamgaugeError, type GenerationResult } from "@streamgauge/core";
import { interleave, runInTurn, type Phase } from "../measure/interleave.js";
import {
  measureRun,
  settle,
  shorten,
  type MeasuredRun,
  type Work,
} from "../measure/measured-run.js";
import type { PeakMemory, ProfileMeasurement } from "../record/index.js";
import { modeOf, workOf } from "../measure/measurement-work.js";
import type { MeasurementPlan } from "../plan/stage.js";
import { warmUpTokens } from "../measure/warm-up.js";
import { createDiagnosticInstrument } from "./diagnostic-instrument.js";
import type { Diagnostics } from "./thread-report.js";
import {
  estimateCost,
  instrumentStates,
  runsOfBlocks,
  type InstrumentBlock,
  type InstrumentState,
} from "./instrument-cost.js";
import type {
  Instrument,
  InstrumentSetting,
  ObservedTreatment,
  ProfileKind,
} from "./instrument.js";
import { openLedgerInstrument } from "./ledger-instrument.js";
import { ObservingRecorder } from "./observing-recorder.js";
import { openOperatorInstrument } from "./operator-instrument.js";

/** What to observe, and how often. */
export interface ProfileOptions {
  readonly kind: ProfileKind;
  /** `generate` delivers nothing that a timeline or a ledger could be about. */
  readonly treatment: ObservedTreatment;
  /**
   * Tokens of each generation. Operators: few, such as 64, because onnxruntime keeps
   * some 70 events of 2.5 kB in memory for each token, and a million at most.
   * CPU profiles: many where tokens are fast, because a sample is taken each 200 µs.
   */
  readonly tokens: number;
  /** Six or a multiple: then the orders are balanced exactly, and there is an interval. */
  readonly blocks: number;
  /** The calling thread's. */
  readonly mainDiagnostics: Diagnostics;
  /** For the time left. Default 900. */
  readonly expectedTokensPerSecond?: number;
}

/** Blocks that are dropped: code gets compiled, and the inspector loaded. */
const warmUpBlocks = 2;

/**
 * The plan of one profile: blocks of one mode without the instrument, without it
 * again and with it, interleaved in all orders. The findings are from the runs
 * with it; what it costs from comparing them with the others.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a kind that the mode cannot have;
 *   `measure` rejects with it for one that the generator cannot have
 */
export function profileMeasurement(options: ProfileOptions): MeasurementPlan {
  const { kind, treatment, tokens, blocks, expectedTokensPerSecond = 900 } = options;
  if (treatment === "generate" && (kind === "timeline" || kind === "ledger")) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `There is no ${kind} of generate(), which delivers no token before its end: use a stream.`,
    );
  }
  return {
    id: `${kind}-${treatment}-${tokens}`,
    expectedSeconds: (3 * (blocks + warmUpBlocks) * tokens) / expectedTokensPerSecond,
    async measure(measured, context) {
      const setting = { generator: measured, context, treatment, tokens };
      const instrument = await openInstrument(options, setting);
      try {
        const profile = await new ProfileRun(instrument, setting).measure(blocks);
        return profile === undefined ? {} : { profiles: [profile] };
      } finally {
        await instrument.close();
      }
    },
  };
}

async function openInstrument(
  { kind, mainDiagnostics }: ProfileOptions,
  setting: InstrumentSetting,
): Promise<Instrument> {
  switch (kind) {
    case "ledger":
      return await openLedgerInstrument(setting);
    case "operators":
      return await openOperatorInstrument(setting);
    default:
      return createDiagnosticInstrument(kind, mainDiagnostics, setting);
  }
}

class ProfileRun {
  readonly #instrument: Instrument;
  readonly #setting: InstrumentSetting;
  readonly #work: Work;
  readonly #recorder: ObservingRecorder;
  readonly #peakMemory = {
    residentBytes: 0,
    heapUsedBytes: 0,
    externalBytes: 0,
    arrayBufferBytes: 0,
  };
  #observed = 0;

  constructor(instrument: Instrument, setting: InstrumentSetting) {
    const { context, tokens } = setting;
    this.#instrument = instrument;
    this.#setting = setting;
    this.#work = workOf(context, tokens);
    this.#recorder = new ObservingRecorder(context.clock, tokens);
  }

  /** Undefined when it was aborted before the first block was complete. */
  async measure(count: number): Promise<ProfileMeasurement | undefined> {
    const { context, treatment, tokens } = this.#setting;
    const warmUpWork = shorten(this.#work, warmUpTokens);
    const blocks: InstrumentBlock[] = [];
    await interleave<InstrumentState, InstrumentBlock>({
      members: instrumentStates,
      seed: context.seed,
      clock: context.clock,
      signal: context.signal,
      blocks: count,
      isWarm: (dropped) => dropped === warmUpBlocks,
      measuredOrders: "fresh",
      runBlock: (order, phase) =>
        this.#runBlock(order, phase === "warm-up" ? warmUpWork : this.#work, phase),
      onBlock: (block) => void blocks.push(block),
    });
    if (blocks.length === 0) return undefined;
    const { findings, files } = await this.#instrument.conclude({ peakMemory: this.#peakMemory });
    return {
      ...modeOf(context.plan, treatment, tokens),
      cost: estimateCost(runsOfBlocks(blocks), tokens),
      files,
      generations: findings.kind === "operators" ? 1 : this.#observed,
      findings,
    };
  }

  async #runBlock(
    order: readonly InstrumentState[],
    work: Work,
    phase: Phase,
  ): Promise<InstrumentBlock | undefined> {
    const latencies = { off: 0, offAgain: 0, on: 0 };
    let reference: GenerationResult | undefined;
    const runs = await runInTurn(order, this.#setting.context.signal, async (state) => {
      const { raw, results } = await (state === "on"
        ? this.#observe(work, phase)
        : this.#runUnobserved(work));
      const [result] = results as [GenerationResult];
      reference ??= result;
      requireSameWork(result, reference, work.config.maxTokens);
      latencies[state] = raw.endToEndNanoseconds;
    });
    return runs === undefined ? undefined : latencies;
  }

  async #runUnobserved(work: Work): Promise<MeasuredRun> {
    const { generator, treatment, context } = this.#setting;
    await settle(generator, work);
    const run = await measureRun(generator, treatment, work, {
      clock: context.clock,
      recorders: [this.#recorder],
    });
    const peak = this.#peakMemory;
    for (const field of Object.keys(peak) as (keyof PeakMemory)[]) {
      peak[field] = Math.max(peak[field], run.raw.memory[field]);
    }
    return run;
  }

  async #observe(work: Work, phase: Phase): Promise<MeasuredRun> {
    const { generator, recorder } = this.#instrument;
    const { treatment, context } = this.#setting;
    // Before it is on: what it reports is about the run alone.
    await settle(generator, work);
    await this.#instrument.start();
    const run = await measureRun(generator, treatment, work, {
      clock: context.clock,
      recorders: [recorder],
    });
    await this.#instrument.stop();
    if (phase === "measure") {
      this.#observed += 1;
      this.#instrument.keep({ ...run.raw, result: run.results[0] as GenerationResult });
    }
    return run;
  }
}

/** Times of different work do not compare. */
function requireSameWork(
  result: GenerationResult,
  reference: GenerationResult,
  tokens: number,
): void {
  const same =
    result.ids.length === tokens && result.ids.every((id, index) => id === reference.ids[index]);
  if (same) return;
  throw new StreamgaugeError(
    "OUTPUT_MISMATCH",
    `A profiled generation made ${result.ids.length} of ${tokens} tokens, or other ids than the ` +
      `generation before: with the instrument and without it, the work has to be the same.`,
  );
}
