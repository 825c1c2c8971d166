import { median } from "../statistics/index.js";

/** A monotonic clock. Tests inject their own. */
export interface Clock {
  readonly name: string;
  /** Nanoseconds since some fixed moment; only differences mean anything. */
  nowNanoseconds(): number;
}

/**
 * `performance.now()`, although `process.hrtime()` reads about 30 ns faster:
 * tokens carry the moment they were made on this clock, so delivery latency
 * needs no conversion, and one reading stays a plain number.
 */
export const systemClock: Clock = {
  name: "performance.now()",
  nowNanoseconds: () => performance.now() * 1e6,
};

/**
 * @returns the smallest step seen between two readings that differ, and the
 *   median time of one reading, in nanoseconds
 */
export function measureClock(clock: Clock): {
  readonly clockResolutionNanoseconds: number;
  readonly clockReadNanoseconds: number;
} {
  let smallestStep = Infinity;
  let previous = clock.nowNanoseconds();
  for (let reading = 0; reading < 20_000; reading += 1) {
    const now = clock.nowNanoseconds();
    if (now > previous) smallestStep = Math.min(smallestStep, now - previous);
    previous = now;
  }
  return {
    clockResolutionNanoseconds: smallestStep === Infinity ? 0 : Math.round(smallestStep),
    clockReadNanoseconds: measureCost(clock, () => clock.nowNanoseconds()),
  };
}

/**
 * Median nanoseconds of one call of `action`, over batches: a single call is
 * shorter than reading the clock twice.
 */
export function measureCost(clock: Clock, action: () => unknown): number {
  const batches: number[] = [];
  for (let batch = 0; batch < 51; batch += 1) {
    const start = clock.nowNanoseconds();
    for (let call = 0; call < callsPerBatch; call += 1) action();
    batches.push((clock.nowNanoseconds() - start) / callsPerBatch);
  }
  return Math.round(median(batches));
}

const callsPerBatch = 1000;

/** A clock that can be stopped: it does not count the time until it goes on. Made running. */
export class PausableClock implements Clock {
  readonly name: string;
  readonly #clock: Clock;
  #pausedNanoseconds = 0;
  #pausedSince: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.name = clock.name;
  }

  nowNanoseconds(): number {
    return (this.#pausedSince ?? this.#clock.nowNanoseconds()) - this.#pausedNanoseconds;
  }

  /** Repeating it does nothing. */
  pause(): void {
    this.#pausedSince ??= this.#clock.nowNanoseconds();
  }

  /** Where it is not paused, this does nothing. */
  resume(): void {
    if (this.#pausedSince === undefined) return;
    this.#pausedNanoseconds += this.#clock.nowNanoseconds() - this.#pausedSince;
    this.#pausedSince = undefined;
  }

  /** How far it is behind the clock that it was made of, while it runs. */
  get pausedNanoseconds(): number {
    return this.#pausedNanoseconds;
  }
}
