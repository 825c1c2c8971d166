import {
  StreamgaugeError,
  type GenerationResult,
  type Generator,
  type Prompt,
} from "@streamgauge/core";
import { interleave, runInTurn } from "./interleave.js";
import type { Clock } from "../plan/clock.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import { measureRun, settle, shorten, type MeasuredRun, type Work } from "./measured-run.js";
import type { RawBlock, RawRun } from "./raw-samples.js";
import { treatments, type Cell, type ProcessPart, type Treatment } from "../record/index.js";
import { TokenRecorder } from "./recorder.js";
import { makeAtOnce, measureInTurns } from "./turns.js";
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
  /** Instead of the work's own prompt: the blocks take them in turn. */
  readonly prompts?: readonly Prompt[] | undefined;
  /** Ends the cell between two runs; the blocks so far are kept. */
  readonly signal?: AbortSignal | undefined;
  /** Called, and waited for, after each block that is dropped, outside of what is timed. */
  readonly onWarmUp?: (blocksDropped: number) => Promise<void> | void;
  /** Called, and waited for, with each measured block, outside of what is timed. */
  readonly onBlock: (block: RawBlock, blocks: number) => Promise<void> | void;
}

/** What a process has to say of a cell when it is done with it, beside its blocks. */
export type CellPart = ProcessPart & Pick<Cell, "failure" | "promptTokens">;

/** A cell and the generator that it is measured on. */
export interface Subject {
  readonly generator: Generator & Pick<ScenarioGenerator, "gateOf">;
  readonly plan: CellPlan;
}

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
  const [part] = await runCells([{ generator, plan }], {
    ...options,
    onBlocks: ([block], blocks) => options.onBlock(block as RawBlock, blocks),
  });
  return part as CellPart;
}

/**
 * Runs several cells of the same work in the same blocks: each block runs every mode of
 * every one, in one order. The first plan says how many blocks there are. What fails one fails all.
 *
 * @returns their parts, in the order of the subjects
 */
export async function runCells(
  subjects: readonly Subject[],
  options: Omit<ExperimentOptions, "onBlock"> & {
    /** As `onBlock`, with a block of each subject. */
    readonly onBlocks: (blocks: readonly RawBlock[], measured: number) => Promise<void> | void;
  },
): Promise<readonly CellPart[]> {
  const experiment = new Experiment(subjects, options);
  try {
    return experiment.conclude(await experiment.run());
  } catch (error) {
    const { code, message } = StreamgaugeError.toWire(error, "ENGINE_FAILED");
    return experiment.conclude("failed").map((part) => ({ ...part, failure: { code, message } }));
  }
}

/** One of the runs that make up a block. */
interface Member {
  /** Index of the subject. */
  readonly subject: number;
  readonly treatment: Treatment;
}

class Experiment {
  readonly #subjects: readonly Subject[];
  readonly #plan: CellPlan;
  readonly #options: Parameters<typeof runCells>[1];
  readonly #recorders: readonly TokenRecorder[];
  readonly #warmUp: WarmUpGate;
  #blocks = 0;
  /** The first result of each subject. */
  readonly #references: (
    | { readonly treatment: Treatment; readonly result: GenerationResult }
    | undefined
  )[];

  constructor(subjects: readonly Subject[], options: Parameters<typeof runCells>[1]) {
    const { plan } = subjects[0] as Subject;
    this.#subjects = subjects;
    this.#plan = plan;
    this.#options = options;
    this.#references = subjects.map(() => undefined);
    this.#warmUp = new WarmUpGate(plan.warmUpBlocks);
    // A server can deliver a token in several chunks.
    const capacity = plan.endsNaturally === true ? 4 * plan.tokens + 64 : plan.tokens;
    this.#recorders = Array.from(
      { length: plan.concurrency ?? 1 },
      () => new TokenRecorder(options.clock, capacity),
    );
  }

  async run(): Promise<"complete" | "interrupted"> {
    const plan = this.#plan;
    const { clock, seed, signal, onWarmUp, onBlocks } = this.#options;
    return await interleave<Member, readonly RawBlock[]>({
      members: this.#subjects.flatMap((_, subject) =>
        treatments.map((treatment) => ({ subject, treatment })),
      ),
      seed,
      clock,
      signal,
      blocks: plan.blocks,
      timeBudget: { seconds: plan.timeBudgetSeconds },
      isWarm: () => this.#options.isWarm === true || this.#warmUp.finished,
      measuredOrders: "fresh",
      runBlock: (order, phase, done) =>
        this.#runBlock(
          order,
          phase === "warm-up" ? Math.min(plan.tokens, warmUpTokens) : plan.tokens,
          done,
        ),
      onWarmUp: async (blocks, dropped) => {
        const runs = blocks.flatMap((block) => block.runs);
        this.#warmUp.add(runs.reduce((sum, run) => sum + run.endToEndNanoseconds, 0));
        await onWarmUp?.(dropped);
      },
      // Shorter runs have made fewer ids than those to come.
      onWarm: () => this.#references.fill(undefined),
      onBlock: async (blocks, measured) => {
        this.#blocks = measured;
        await onBlocks(blocks, measured);
      },
    });
  }

  conclude(status: CellPart["status"]): readonly CellPart[] {
    return this.#references.map((reference) => ({
      process: this.#options.process,
      status,
      blocks: this.#blocks,
      warmUp:
        this.#options.isWarm === true ? { blocksDropped: 0, steady: true } : this.#warmUp.summary,
      failure: null,
      promptTokens: reference?.result.usage.promptTokens ?? null,
    }));
  }

  async #runBlock(
    order: readonly Member[],
    tokens: number,
    done: number,
  ): Promise<readonly RawBlock[] | undefined> {
    const { process } = this.#options;
    const work = this.#workOf(tokens, done);
    for (const { generator } of this.#subjects) {
      if (done === 0 && this.#takesTurns(tokens)) await makeAtOnce(generator, work, order.length);
      await settle(generator, work);
    }
    const runs = await this.#runAll(order, work, tokens);
    return runs === undefined
      ? undefined
      : this.#subjects.map((_, subject) => ({
          process,
          runs: runs.filter((run) => run.subject === subject).map(({ raw }) => raw),
        }));
  }

  #takesTurns(tokens: number): boolean {
    return tokens > (this.#plan.sliceTokens ?? Infinity);
  }

  async #runAll(
    order: readonly Member[],
    work: Work,
    tokens: number,
  ): Promise<readonly (Member & { readonly raw: RawRun })[] | undefined> {
    const { clock, signal } = this.#options;
    const recorders = this.#recorders;
    const check = (member: Member, run: MeasuredRun): Member & { readonly raw: RawRun } => ({
      ...member,
      raw: this.#check(member, run, tokens),
    });
    if (this.#takesTurns(tokens)) {
      const { sliceTokens = tokens } = this.#plan;
      const takers = order.map(({ subject, treatment }) => ({
        treatment,
        generator: (this.#subjects[subject] as Subject).generator,
      }));
      const runs = await measureInTurns(takers, work, { clock, sliceTokens, signal });
      return runs?.map((run, index) => check(order[index] as Member, run));
    }
    return await runInTurn(order, signal, async (member) => {
      const { generator } = this.#subjects[member.subject] as Subject;
      return check(
        member,
        await measureRun(generator, member.treatment, work, { clock, recorders }),
      );
    });
  }

  /** All runs of a block continue the same prompt; each process begins with another. */
  #workOf(tokens: number, done: number): Work {
    const { work, prompts, process } = this.#options;
    const index = process * this.#plan.blocks + done;
    const prompt = prompts?.[index % prompts.length];
    return shorten(prompt === undefined ? work : { ...work, prompt }, tokens);
  }

  /** The run, with the tokens that it made where it is for the generator to end it. */
  #check({ subject }: Member, { raw, results, delivered }: MeasuredRun, tokens: number): RawRun {
    if (this.#plan.endsNaturally === true) {
      const [result] = results as [GenerationResult];
      this.#references[subject] ??= { treatment: raw.treatment, result };
      return { ...raw, tokens: this.#requireTokens(raw, result, delivered) };
    }
    for (const [stream, result] of results.entries()) {
      const work = { tokens, delivered: delivered[stream] ?? 0 };
      this.#requireSameWork(subject, raw.treatment, result, work);
    }
    return raw;
  }

  /** A run without a token has no time of one. */
  #requireTokens(
    { treatment }: RawRun,
    { usage, finishReason }: GenerationResult,
    [delivered = 0]: readonly number[],
  ): number {
    const { completionTokens } = usage;
    const isEmpty = delivers(treatment) && delivered === 0;
    if (completionTokens >= 1 && !isEmpty) return completionTokens;
    throw new StreamgaugeError(
      "OUTPUT_MISMATCH",
      `${treatment} made ${isEmpty ? "no text" : "no token"} in block ${this.#blocks} (finish ` +
        `reason "${finishReason}"), so that there is nothing to time: give a prompt that the ` +
        `model answers, or have it make more tokens.`,
    );
  }

  /** Times of different work do not compare. */
  #requireSameWork(
    subject: number,
    treatment: Treatment,
    result: GenerationResult,
    { tokens, delivered }: { readonly tokens: number; readonly delivered: number },
  ): void {
    const block = this.#blocks;
    const counts = delivers(treatment) ? [result.ids.length, delivered] : [result.ids.length];
    for (const count of counts) {
      if (count !== tokens) {
        throw new StreamgaugeError(
          "OUTPUT_MISMATCH",
          `${treatment} made ${count} of ${tokens} tokens in block ${block} ` +
            `(finish reason "${result.finishReason}"): every run has to make all of them.`,
        );
      }
    }
    const reference = (this.#references[subject] ??= { treatment, result });
    const expected = reference.result.ids;
    const index = result.ids.findIndex((id, position) => id !== expected[position]);
    if (index >= 0) {
      throw new StreamgaugeError(
        "OUTPUT_MISMATCH",
        `${treatment} made other tokens than ${reference.treatment}: id ` +
          `${result.ids[index]} instead of ${expected[index]} at index ${index}, block ${block}. ` +
          `All modes have to yield the same ids for the same prompt, config and seed.`,
      );
    }
  }
}

function delivers(treatment: Treatment): boolean {
  return treatment === "stream" || treatment === "streamAsync";
}
