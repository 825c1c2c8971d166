import { StreamgaugeError, type GenerationResult, type Generator } from "@streamgauge/core";
import { interleave, runInTurn } from "./interleave.js";
import type { Clock } from "../plan/clock.js";
import { measureRun, settle, shorten, type Work } from "./measured-run.js";
import type { RawBlock, RawRun } from "./raw-samples.js";
import { treatments, type Cell, type ProcessPart, type Treatment } from "../record/index.js";
import { TokenRecorder } from "./recorder.js";
import type { CellPlan } from "../plan/stage.js";
import { WarmUpGate, warmUpTokens } from "./warm-up.js";

/** What a cell needs beside its plan and its generator. */
export interface ExperimentOptions {
  readonly clock: Clock;
  /** Draws the orders of the blocks. */
  readonly seed: number;
  /** Which of the run's processes this is. */
  readonly process: number;
  readonly work: Work;
  /** Whether runs before it in this process made it warm. Default false. */
  readonly isWarm?: boolean;
  /** Ends the cell between two runs; the blocks so far are kept. */
  readonly signal?: AbortSignal | undefined;
  /** Called, and waited for, after each block that is dropped, outside of what is timed. */
  readonly onWarmUp?: (blocksDropped: number) => Promise<void> | void;
  /** Called, and waited for, with each measured block, outside of what is timed. */
  readonly onBlock: (block: RawBlock, blocks: number) => Promise<void> | void;
}

/** What a process has to say of a cell when it is done with it, beside its blocks. */
export type CellPart = ProcessPart & Pick<Cell, "failure" | "promptTokens">;

/**
 * Runs one cell in one process: warm-up, then blocks until there are as many as
 * planned or the time budget is spent. A generator that fails, or whose modes
 * make different tokens, fails the cell and not the run.
 */
export async function runCell(
  generator: Generator,
  plan: CellPlan,
  options: ExperimentOptions,
): Promise<CellPart> {
  const experiment = new Experiment(generator, plan, options);
  try {
    return await experiment.run();
  } catch (error) {
    const { code, message } = StreamgaugeError.toWire(error, "ENGINE_FAILED");
    return { ...experiment.conclude("failed"), failure: { code, message } };
  }
}

class Experiment {
  readonly #generator: Generator;
  readonly #plan: CellPlan;
  readonly #options: ExperimentOptions;
  readonly #recorders: readonly TokenRecorder[];
  readonly #warmUp = new WarmUpGate();
  #blocks = 0;
  #reference: { readonly treatment: Treatment; readonly result: GenerationResult } | undefined;

  constructor(generator: Generator, plan: CellPlan, options: ExperimentOptions) {
    this.#generator = generator;
    this.#plan = plan;
    this.#options = options;
    this.#recorders = Array.from(
      { length: plan.concurrency ?? 1 },
      () => new TokenRecorder(options.clock, plan.tokens),
    );
  }

  async run(): Promise<CellPart> {
    const plan = this.#plan;
    const { clock, seed, signal, onWarmUp, onBlock } = this.#options;
    const status = await interleave<Treatment, RawBlock>({
      members: treatments,
      seed,
      clock,
      signal,
      blocks: plan.blocks,
      timeBudget: { seconds: plan.timeBudgetSeconds },
      isWarm: () => this.#options.isWarm === true || this.#warmUp.finished,
      measuredOrders: "fresh",
      runBlock: (order, phase) =>
        this.#runBlock(
          order,
          phase === "warm-up" ? Math.min(plan.tokens, warmUpTokens) : plan.tokens,
        ),
      onWarmUp: async ({ runs }, dropped) => {
        this.#warmUp.add(runs.reduce((sum, run) => sum + run.endToEndNanoseconds, 0));
        await onWarmUp?.(dropped);
      },
      // Shorter runs have made fewer ids than those to come.
      onWarm: () => (this.#reference = undefined),
      onBlock: async (block, blocks) => {
        this.#blocks = blocks;
        await onBlock(block, blocks);
      },
    });
    return this.conclude(status);
  }

  conclude(status: CellPart["status"]): CellPart {
    return {
      process: this.#options.process,
      status,
      blocks: this.#blocks,
      warmUp:
        this.#options.isWarm === true ? { blocksDropped: 0, steady: true } : this.#warmUp.summary,
      failure: null,
      promptTokens: this.#reference?.result.usage.promptTokens ?? null,
    };
  }

  async #runBlock(order: readonly Treatment[], tokens: number): Promise<RawBlock | undefined> {
    const { clock, process, signal } = this.#options;
    const work = shorten(this.#options.work, tokens);
    await settle(this.#generator, work);
    const runs = await runInTurn(order, signal, async (treatment): Promise<RawRun> => {
      const { raw, results } = await measureRun(this.#generator, treatment, work, {
        clock,
        recorders: this.#recorders,
      });
      for (const [stream, result] of results.entries()) {
        this.#requireSameWork(treatment, result, tokens, this.#recorders[stream]?.count ?? 0);
      }
      return raw;
    });
    return runs === undefined ? undefined : { process, runs };
  }

  /** Times of different work do not compare. */
  #requireSameWork(
    treatment: Treatment,
    result: GenerationResult,
    tokens: number,
    delivered: number,
  ): void {
    const block = this.#blocks;
    const delivers = treatment === "stream" || treatment === "streamAsync";
    const counts = delivers ? [result.ids.length, delivered] : [result.ids.length];
    for (const count of counts) {
      if (count !== tokens) {
        throw new StreamgaugeError(
          "OUTPUT_MISMATCH",
          `${treatment} made ${count} of ${tokens} tokens in block ${block} ` +
            `(finish reason "${result.finishReason}"): every run has to make all of them.`,
        );
      }
    }
    this.#reference ??= { treatment, result };
    const expected = this.#reference.result.ids;
    const index = result.ids.findIndex((id, position) => id !== expected[position]);
    if (index >= 0) {
      throw new StreamgaugeError(
        "OUTPUT_MISMATCH",
        `${treatment} made other tokens than ${this.#reference.treatment}: id ` +
          `${result.ids[index]} instead of ${expected[index]} at index ${index}, block ${block}. ` +
          `All modes have to yield the same ids for the same prompt, config and seed.`,
      );
    }
  }
}
