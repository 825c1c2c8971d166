import { StreamgaugeError } from "@streamgauge/core";
import { interleave, runInTurn } from "../../measure/interleave.js";
import { promiseOf } from "../../record/promise-of.js";
import { concludeEngine } from "../../conclude/engine-analysis.js";
import { LatencyHistogram } from "../../measure/latency-histogram.js";
import type { EngineBlock, EngineClaim, EngineMeasurement, EngineRun } from "../../record/index.js";
import type { MeasurementContext, MeasurementPlan } from "../../plan/stage.js";
import { closingOpened, type Keep } from "../../plan/opened.js";

/** One of those that do the same work. */
export interface Contender {
  readonly name: string;
  /** Does the work once. Nothing else computes meanwhile, or it waits for its turns. */
  run(): Promise<ContenderRun>;
}

/** What one run says. */
export interface ContenderRun {
  /** In the measurement's unit. */
  readonly value: number;
  /** What it made: the same as all others; left out where nothing is made. */
  readonly ids?: readonly number[];
  /** From each token of a stream to its next. */
  readonly gapsNanoseconds?: readonly number[];
}

/** Contenders that are loaded, and what holds for them. */
export interface Contest<Member extends Contender = Contender> {
  readonly contenders: readonly Member[];
  /** Runs each once, and gives what each did; left out: one after another. */
  readonly runBlock?: (order: readonly Member[]) => Promise<readonly ContenderRun[]>;
  /** Names of baselines that could not be opened: nothing is compared with them, nor claimed. */
  readonly leftOut?: readonly string[];
  /** See {@link EngineMeasurement.terms}. */
  readonly terms: readonly string[];
}

/** A claim before it is judged. */
export type EnginePromise = Omit<EngineClaim, "verdict" | "reasons">;

/** That a contender makes so many times the tokens/s of another: the inverse of their times. */
export function speedupClaim(
  leastSpeedup: number,
  contender: string,
  against: string,
  control: string,
): EnginePromise {
  const promise =
    leastSpeedup === 1
      ? "at least as many tokens/s"
      : `at least ${leastSpeedup} times the tokens/s`;
  return { contender, against, control, promise, limit: 1 / leastSpeedup };
}

/** What {@link engineMeasurement} is told. */
export interface EngineMeasurementOptions<Member extends Contender = Contender> {
  /** Also for the progress display. */
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Names of those that all others are compared with. */
  readonly baselines: readonly string[];
  readonly claims?: readonly EnginePromise[];
  readonly warmUpBlocks: number;
  readonly blocks: number;
  /** It ends early after this long, with the blocks that it has, six at least. */
  readonly timeBudgetSeconds: number;
  /** A guess, for the time left. */
  readonly expectedSeconds: number;
  /** Loads everything, and gives what is to be closed to `keep`: when all is done, or one does not load. */
  open(context: MeasurementContext, keep: Keep): Promise<Contest<Member>>;
}

/** Name of the scenario. */
export const engineScenarioName = "engine";

/**
 * Measures contenders at the same work in interleaved blocks, in balanced orders,
 * one at a time. One that makes other ids than the first one fails it.
 */
export function engineMeasurement<Member extends Contender>(
  options: EngineMeasurementOptions<Member>,
): MeasurementPlan {
  return {
    id: options.id,
    expectedSeconds: options.expectedSeconds,
    promises: (options.claims ?? []).map(promiseOf),
    measure: (_generator, context) =>
      closingOpened(async (keep) => {
        const contest = await options.open(context, keep);
        const measured = await new Race(contest, options, context).run();
        return measured === undefined ? {} : { engine: [measured] };
      }),
  };
}

class Race<Member extends Contender> {
  readonly #contest: Contest<Member>;
  readonly #options: EngineMeasurementOptions<Member>;
  readonly #context: MeasurementContext;
  readonly #gaps = new Map<string, LatencyHistogram>();
  #reference: { readonly contender: string; readonly ids: readonly number[] } | undefined;

  constructor(
    contest: Contest<Member>,
    options: EngineMeasurementOptions<Member>,
    context: MeasurementContext,
  ) {
    this.#contest = contest;
    this.#options = options;
    this.#context = context;
  }

  /** Undefined when it was aborted. */
  async run(): Promise<EngineMeasurement | undefined> {
    const { warmUpBlocks, blocks: planned, timeBudgetSeconds } = this.#options;
    const { clock, seed, signal, report } = this.#context;
    const blocks: EngineBlock[] = [];
    const status = await interleave<Member, EngineBlock>({
      members: this.#contest.contenders,
      seed,
      clock,
      signal,
      blocks: planned,
      timeBudget: { seconds: timeBudgetSeconds },
      isWarm: (dropped) => dropped === warmUpBlocks,
      measuredOrders: "continued",
      runBlock: async (order, phase, done) => {
        report?.(phase === "warm-up" ? phase : `block ${done + 1} of ${planned}`);
        return await this.#runBlock(order);
      },
      onWarm: () => this.#gaps.clear(),
      onBlock: (block) => void blocks.push(block),
    });
    return status === "interrupted" ? undefined : this.#conclude(blocks);
  }

  async #runBlock(order: readonly Member[]): Promise<EngineBlock | undefined> {
    const { signal } = this.#context;
    const made = await (this.#contest.runBlock === undefined
      ? runInTurn(order, signal, (contender) => contender.run())
      : this.#contest.runBlock(order));
    if (made === undefined) return undefined;
    const runs = order.map(({ name }, index): EngineRun => {
      const { value, ids, gapsNanoseconds } = made[index] as ContenderRun;
      if (ids !== undefined) this.#requireSameIds(name, ids);
      if (gapsNanoseconds !== undefined) {
        const histogram = this.#gaps.get(name) ?? new LatencyHistogram();
        this.#gaps.set(name, histogram);
        for (const gap of gapsNanoseconds) histogram.add(gap);
      }
      return { contender: name, value };
    });
    return { runs };
  }

  /** Times of different work do not compare. */
  #requireSameIds(contender: string, ids: readonly number[]): void {
    this.#reference ??= { contender, ids };
    const expected = this.#reference.ids;
    const index = expected.findIndex((id, position) => id !== ids[position]);
    if (index === -1 && ids.length === expected.length) return;
    throw new StreamgaugeError(
      "OUTPUT_MISMATCH",
      `${this.#options.id}: ${contender} made other ids than ${this.#reference.contender}: ` +
        (index === -1
          ? `${ids.length} instead of ${expected.length}.`
          : `${ids[index] ?? "none"} instead of ${expected[index]} at ${index}.`) +
        " What does not do the same work is not compared.",
    );
  }

  #conclude(blocks: readonly EngineBlock[]): EngineMeasurement {
    const { id, title, unit, warmUpBlocks } = this.#options;
    const { leftOut = [] } = this.#contest;
    const baselines = this.#options.baselines.filter((name) => !leftOut.includes(name));
    const claims = (this.#options.claims ?? []).filter(({ against }) => !leftOut.includes(against));
    return concludeEngine({
      scenario: engineScenarioName,
      id,
      title,
      unit,
      terms: this.#contest.terms,
      warmUpBlocks,
      blocks,
      contenders: this.#contest.contenders.map(({ name }) => ({
        contender: name,
        interTokenLatency: this.#gaps.get(name)?.summarize() ?? null,
        comparisons: baselines
          .filter((against) => against !== name)
          .map((against) => ({ against })),
      })),
      claims,
    });
  }
}
