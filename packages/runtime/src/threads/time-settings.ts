import type { StepWeights } from "../onnx/step-weights.js";
import type { ThreadSettings, TimedSettings } from "./thread-settings.js";

/** Something that can be run with given settings, and is timed. */
export interface Timed {
  run(): Promise<void>;
  close(): Promise<void>;
}

export interface TimingOptions {
  /** Opens what is timed. */
  readonly open: (settings: ThreadSettings) => Promise<Timed>;
  /**
   * When it has taken so long, no more is opened and no round begins. Counted from when the first
   * one is open: that starts onnxruntime, which the model would do otherwise.
   */
  readonly budgetMilliseconds: number;
  /** Milliseconds; `performance.now` but for tests. */
  readonly now: () => number;
}

/** What {@link timeSettings} has measured. */
export interface MeasuredSettings {
  readonly timings: readonly TimedSettings[];
  /** Whether runs were alike enough to believe them. */
  readonly isSteady: boolean;
}

const warmUpRounds = 3;
const mostRounds = 9;
/** With fewer a median says little. */
const leastRounds = 5;
/** How many times the fastest run the median may be. */
const mostSpread = 1.4;

/**
 * Runs each of the settings once in each round, in alternating order, and takes the medians.
 *
 * @returns undefined where the budget was too small
 * @throws what opening and running do; what was opened is closed
 */
export async function timeSettings(
  settings: readonly ThreadSettings[],
  { open, budgetMilliseconds, now }: TimingOptions,
): Promise<MeasuredSettings | undefined> {
  let end = Infinity;
  const opened: Timed[] = [];
  try {
    for (const one of settings) {
      if (now() >= end) return undefined;
      opened.push(await open(one));
      if (opened.length === 1) end = now() + budgetMilliseconds;
    }
    const samples = opened.map((): number[] => []);
    const indices = [...opened.keys()];
    let fastestRound = Infinity;
    for (let round = 0; round < warmUpRounds + mostRounds && now() < end; round += 1) {
      const roundAt = now();
      for (const index of round % 2 === 0 ? indices : indices.toReversed()) {
        const start = now();
        await opened[index]?.run();
        if (round >= warmUpRounds) samples[index]?.push((now() - start) * 1000);
      }
      // The first round takes long whatever follows.
      if (round === 0) continue;
      fastestRound = Math.min(fastestRound, now() - roundAt);
      const missing = warmUpRounds + leastRounds - (round + 1);
      // What cannot be finished is not gone on with: it would delay the loading for nothing.
      if (missing > 0 && now() + missing * fastestRound > end) return undefined;
    }
    const sorted = samples.map((own) => own.toSorted((one, other) => one - other));
    if (sorted.some((own) => own.length < leastRounds)) return undefined;
    const medians = sorted.map((own) => own[own.length >> 1] as number);
    return {
      timings: settings.map((one, index) => ({ ...one, microseconds: medians[index] as number })),
      isSteady: sorted.every((own, index) => {
        return (medians[index] as number) <= (own[0] as number) * mostSpread;
      }),
    };
  } finally {
    // All of them, also where one does not close: what has been measured counts.
    await Promise.allSettled(opened.map((one) => one.close()));
  }
}

/**
 * What may be spent on it while a model of this size loads: about a tenth of that at most, by what
 * loading takes on a machine with two cores (some 0.3 s, and 0.2 s for each 100 MB).
 */
export function timingBudgetMilliseconds({ bytes }: Pick<StepWeights, "bytes">): number {
  return Math.min(150, 25 + bytes / 1e7);
}
