import type { Clock } from "../plan/clock.js";
import {
  expectedBlocksSeconds,
  expectedWarmUpBlockSeconds,
  expectedWarmUpBlocks,
  expectedWarmUpSeconds,
} from "./expected-time.js";
import type { CellPlan, MeasurementPlan, Stage } from "../plan/stage.js";
import type { Waiting } from "./busyness.js";

/** Where a run of the bench is. */
export interface BenchProgress {
  readonly phase: "wait" | "open" | "warm-up" | "measure" | "measurement";
  /** Id of the cell, of the measurement, or of the generator that is made; what is waited for. */
  readonly subject: string;
  /** Blocks of this phase that are done; 0 outside of a cell. */
  readonly block: number;
  /** Blocks planned; 0 where nobody knows, as in a warm-up. */
  readonly blocks: number;
  /** 0 to 1, of the expected time. */
  readonly fractionDone: number;
  /** Undefined until there is something to extrapolate from. */
  readonly secondsLeft: number | undefined;
  /** Which process, from 0, of how many until the next look; absent where there is only one. */
  readonly process?: { readonly index: number; readonly count: number };
}

/**
 * Estimates the time left. The plan's own guesses give the proportions, and what
 * is done so far says how much slower or faster this machine is; a cell takes no
 * longer than its time budget.
 */
export class ProgressTracker {
  readonly #clock: Clock;
  readonly #startNanoseconds: number;
  readonly #planned: CellPlan[];
  readonly #measurements: MeasurementPlan[];
  /** Seconds that the plan expected for what is done. */
  #doneSeconds = 0;

  constructor(clock: Clock, stages: readonly Stage[]) {
    this.#clock = clock;
    this.#startNanoseconds = clock.nowNanoseconds();
    this.#planned = stages.flatMap(({ cells }) => cells);
    this.#measurements = stages.flatMap(({ measurements }) => measurements);
  }

  /** Something without a cell begins, or goes on. */
  at(phase: "open" | "measurement", subject: string): BenchProgress {
    return this.#progress({ phase, subject, block: 0, blocks: 0 }, 0);
  }

  /** So many blocks of a cell's phase are done. */
  inCell(phase: "warm-up" | "measure", plan: CellPlan, block: number): BenchProgress {
    const done =
      phase === "warm-up"
        ? Math.min(block, expectedWarmUpBlocks) * expectedWarmUpBlockSeconds(plan)
        : expectedWarmUpSeconds(plan) + block * plan.expectedBlockSeconds;
    const blocks = phase === "measure" ? plan.blocks : 0;
    return this.#progress({ phase, subject: plan.id, block, blocks }, done);
  }

  /** A cell has ended with so many blocks. */
  cellEnded(plan: CellPlan, blocks: number): void {
    this.#doneSeconds += expectedWarmUpSeconds(plan) + blocks * plan.expectedBlockSeconds;
    this.#planned.splice(this.#planned.indexOf(plan), 1);
  }

  measurementEnded(plan: MeasurementPlan): void {
    this.#doneSeconds += plan.expectedSeconds;
    this.#measurements.splice(this.#measurements.indexOf(plan), 1);
  }

  #progress(
    where: Pick<BenchProgress, "phase" | "subject" | "block" | "blocks">,
    inCellSeconds: number,
  ): BenchProgress {
    const elapsedSeconds = (this.#clock.nowNanoseconds() - this.#startNanoseconds) / 1e9;
    const done = this.#doneSeconds + inCellSeconds;
    // Until something is done, the guesses are as good as any.
    const slowness = done > 0 ? elapsedSeconds / done : 1;
    const cellSeconds = this.#planned.map(
      (plan) => slowness * expectedWarmUpSeconds(plan) + expectedBlocksSeconds(plan, slowness),
    );
    const planned = cellSeconds.reduce((sum, seconds) => sum + seconds, 0);
    const others = this.#measurements.reduce((sum, plan) => sum + plan.expectedSeconds, 0);
    const secondsLeft = Math.max(0, planned + slowness * (others - inCellSeconds));
    const whole = elapsedSeconds + secondsLeft;
    return {
      ...where,
      fractionDone: whole === 0 ? 0 : elapsedSeconds / whole,
      secondsLeft: done > 0 ? secondsLeft : undefined,
    };
  }
}

/** Progress of a run that has not begun, because other work keeps the machine busy. */
export function whileWaiting({ busyCores, cores, secondsLeft }: Waiting): BenchProgress {
  const busy = busyCores.toFixed(1);
  return {
    phase: "wait",
    subject: `${busy} of ${cores} cores are busy with other work`,
    block: 0,
    blocks: 0,
    fractionDone: 0,
    secondsLeft,
  };
}

/**
 * Progress of one process as that of all until the next look.
 *
 * @param expected seconds of each of them, which need not measure the same
 */
export function overAllProcesses(
  progress: BenchProgress,
  index: number,
  expected: readonly number[],
): BenchProgress {
  const { fractionDone, secondsLeft } = progress;
  const sum = (seconds: readonly number[]) => seconds.reduce((total, second) => total + second, 0);
  const own = expected[index] ?? 0;
  const later = sum(expected.slice(index + 1));
  const done = sum(expected.slice(0, index)) + fractionDone * own;
  // A process that is done has nothing left to tell how slow the machine is.
  const ownLeft = (1 - fractionDone) * own;
  const slowness = secondsLeft === undefined || ownLeft === 0 ? 1 : secondsLeft / ownLeft;
  return {
    ...progress,
    process: { index, count: expected.length },
    fractionDone: done / (done + ownLeft + later),
    secondsLeft: secondsLeft === undefined ? undefined : secondsLeft + slowness * later,
  };
}
