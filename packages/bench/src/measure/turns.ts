import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import { StreamgaugeError, type GenerationResult, type Generator } from "@streamgauge/core";
import { PausableClock, type Clock } from "../plan/clock.js";
import type { Gate, ScenarioGenerator } from "../plan/generator-plan.js";
import type { Treatment } from "../record/index.js";
import { consume, sampleMemory, type MeasuredRun, type Work } from "./measured-run.js";
import { TokenRecorder } from "./recorder.js";

/** A run that takes turns with the others of its block. */
export interface TurnTaker {
  readonly treatment: Treatment;
  /** The same for all, or others: what makes all generations of the block at once. */
  readonly generator: Generator & Pick<ScenarioGenerator, "gateOf">;
}

/** How runs take turns. */
export interface Turns {
  readonly clock: Clock;
  /** Tokens of a turn. */
  readonly sliceTokens: number;
  /** Ends the block between two turns. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Measures the runs of a block side by side: in turn, each makes some tokens while the others are
 * held. A machine's speed wanders, by a tenth within a second on some. Long runs that come one after
 * the other see different speeds; runs that take turns see the same.
 *
 * A run's clock stands still while it is held, so that its times are those of a run that was not.
 * Two things differ. What its consumer does with the last tokens of a turn, some four milliseconds'
 * worth, is done when its clock has stopped; and each turn wakes the consumer once or twice more than a run
 * without a pause. They are of the size of one wake-up in twenty, and of opposite sign.
 *
 * @returns the runs in the order of the takers; undefined when the signal ended it
 * @throws what a generation throws, when all have ended
 */
export async function measureInTurns(
  takers: readonly TurnTaker[],
  work: Work,
  { clock, sliceTokens, signal }: Turns,
): Promise<readonly MeasuredRun[] | undefined> {
  const runs = takers.map((taker, index) => {
    const clientId = `turn-taker-${index}`;
    const gate = taker.generator.gateOf?.(clientId);
    if (gate === undefined) throw cannotBeHeld();
    const own = { ...work, config: { ...work.config, clientId } };
    return new RunInTurns({ ...taker, gate }, own, clock, sliceTokens);
  });
  const turns = Math.ceil(work.config.maxTokens / sliceTokens);
  try {
    for (let turn = 0; turn < turns; turn += 1) {
      for (const run of runs) {
        if (signal?.aborted === true) return undefined;
        await run.takeTurn(turn === turns - 1);
      }
    }
    return await Promise.all(runs.map((run) => run.measured()));
  } finally {
    await Promise.all(runs.map((run) => run.end()));
  }
}

/**
 * Makes as many generations at once as take turns later, measuring none: the first that are under way
 * together find no room in the engine's memory, and the one whose turn it is would pay for all.
 */
export async function makeAtOnce(generator: Generator, work: Work, count: number): Promise<void> {
  const { prompt, config } = work;
  await Promise.all(Array.from({ length: count }, () => generator.generate(prompt, config)));
}

function cannotBeHeld(): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_OPTION",
    "The runs of this cell take turns, and its generator cannot be held between tokens: have `open` " +
      "give it the gates that its plan asks for, or leave sliceTokens out of the cell.",
  );
}

class RunInTurns {
  readonly #taker: TurnTaker & { readonly gate: Gate };
  readonly #work: Work;
  readonly #sliceTokens: number;
  readonly #clock: PausableClock;
  readonly #recorder: TokenRecorder;
  #startNanoseconds = 0;
  /** Undefined before the first turn. */
  #run: Promise<GenerationResult> | undefined;
  #hasEnded = false;
  #tokensAllowed = 0;
  /** How far the run's clock was behind in each turn. */
  readonly #behindNanoseconds: number[] = [];
  #cpuMicroseconds = 0;
  #activeMilliseconds = 0;
  #idleMilliseconds = 0;

  constructor(
    taker: TurnTaker & { readonly gate: Gate },
    work: Work,
    clock: Clock,
    sliceTokens: number,
  ) {
    this.#taker = taker;
    this.#work = work;
    this.#sliceTokens = sliceTokens;
    this.#clock = new PausableClock(clock);
    this.#clock.pause();
    this.#recorder = new TokenRecorder(this.#clock, work.config.maxTokens);
  }

  /** Makes the tokens of one turn, and lets the consumer have them all. */
  async takeTurn(isLast: boolean): Promise<void> {
    const { gate } = this.#taker;
    await nextTurn();
    const cpuBefore = process.cpuUsage();
    const loopBefore = performance.eventLoopUtilization();
    this.#clock.resume();
    this.#behindNanoseconds.push(this.#clock.pausedNanoseconds);
    this.#tokensAllowed += this.#sliceTokens;
    if (isLast) gate.open();
    else gate.allow(this.#sliceTokens);
    this.#run ??= this.#begin();
    // A generation that ends early is never held.
    await (isLast ? this.#run : Promise.race([this.#run, gate.held()]));
    this.#clock.pause();
    const loop = performance.eventLoopUtilization(loopBefore);
    const cpu = process.cpuUsage(cpuBefore);
    this.#cpuMicroseconds += cpu.user + cpu.system;
    this.#activeMilliseconds += loop.active;
    this.#idleMilliseconds += loop.idle;
    await this.#delivered();
  }

  /** To be called after the last turn. */
  async measured(): Promise<MeasuredRun> {
    const result = await (this.#run as Promise<GenerationResult>);
    const times = this.#recorder.since(this.#startNanoseconds);
    const { treatment } = this.#taker;
    const loopMilliseconds = this.#activeMilliseconds + this.#idleMilliseconds;
    return {
      results: [result],
      delivered: [this.#recorder.count],
      raw: {
        treatment,
        endToEndNanoseconds: Math.round(this.#clock.nowNanoseconds() - this.#startNanoseconds),
        eventLoopUtilization: Number((this.#activeMilliseconds / loopMilliseconds).toFixed(4)),
        cpuMicroseconds: this.#cpuMicroseconds,
        memory: sampleMemory(),
        ...times,
        // The worker's clock went on while the generation was held.
        producedNanoseconds: times.producedNanoseconds.map((nanoseconds, index) =>
          Math.round(nanoseconds - this.#behindOf(index)),
        ),
      },
    };
  }

  /** Lets go of a generation that others' failure, or the signal, left in the middle. Never rejects. */
  async end(): Promise<void> {
    this.#taker.gate.open();
    await this.#run?.catch(() => undefined);
  }

  async #begin(): Promise<GenerationResult> {
    const { generator, treatment } = this.#taker;
    this.#startNanoseconds = this.#clock.nowNanoseconds();
    try {
      return await consume(generator, treatment, this.#work, this.#recorder);
    } finally {
      this.#clock.pause();
      this.#hasEnded = true;
    }
  }

  /** What its consumer still has to do must not disturb the next run's turn. */
  async #delivered(): Promise<void> {
    const { treatment } = this.#taker;
    if (treatment === "generate" || treatment === "control") return;
    while (!this.#hasEnded && this.#recorder.count < this.#tokensAllowed) await pause(1);
  }

  #behindOf(token: number): number {
    return this.#behindNanoseconds[Math.floor(token / this.#sliceTokens)] ?? 0;
  }
}
