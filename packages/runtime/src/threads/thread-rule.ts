import type { StepWeights } from "../onnx/step-weights.js";
import { areEqual, type ThreadSettings, type TimedSettings } from "./thread-settings.js";

/**
 * What a step costs, in microseconds: the bytes of its weights, shared by the threads, and for each
 * matrix and each thread beyond the first what it costs to have that thread take part.
 *
 * The numbers are fitted: `node scripts/defaults/measure.mjs` measures and prints them.
 */
export const fittedCosts = {
  /** What one thread gets through: floats are read, quantised weights computed with. */
  bytesPerMicrosecond: { floats: 13_000, quantised: 6_500 },
  /** How much of one thread's work each further one adds. */
  furtherThread: 0.9,
  /** By how the thread waits for the next matrix. */
  handOffMicroseconds: { sleeping: 15, spinning: 12 },
} as const;

/**
 * How long threads spin unless somebody says otherwise: through the shortest gaps between matrices.
 * Longer spinning loses a quarter beside a busy core, where what seldom sleeps has to wait for its
 * turn (decision 42 has the figures).
 */
export const briefSpinMicroseconds = 5;

/** How many times faster settings have to be than simpler ones to be taken. */
export const leastGain = 1.05;

/** The same, of a trial of the whole model. */
export const leastTrialGain = 1.02;

/**
 * How many times faster more threads than a worker's share of the cores have to be, by itself, to be
 * taken: a worker that is alone gains that, and all together lose what hand-offs cost. Infinity: no
 * worker takes more than its share.
 */
export const leastGainBeyondShare = 1.1;

/** No more threads are taken unasked: where there are more cores, nobody has measured yet. */
const mostThreads = 8;

/** A model whose matrices are not found counts as one like this. */
const middling: Pick<StepWeights, "bytes" | "matrices" | "bits"> = {
  bytes: 100e6,
  matrices: 100,
  bits: 32,
};

/** What settings are chosen for. */
export interface ThreadLoad {
  readonly weights: StepWeights | undefined;
  /** That the process may use. */
  readonly cores: number;
  /** Models that run side by side. */
  readonly workers: number;
  /** What the user has chosen already. */
  readonly chosen: Partial<ThreadSettings>;
}

/**
 * The settings that may be chosen, the simplest first: up to twice a worker's share of the cores,
 * because often not all work.
 */
export function possibleSettings({
  cores,
  workers,
  chosen,
}: Omit<ThreadLoad, "weights">): ThreadSettings[] {
  const share = Math.min(mostThreads, shareOf({ cores, workers }));
  const most = Math.min(mostThreads, cores, 2 * share);
  const free = [...new Set([...countsUpTo(share), most])];
  const counts = chosen.threads === undefined ? free : [chosen.threads];
  return counts.map((threads) => ({
    threads,
    spinMicroseconds: chosen.spinMicroseconds ?? (threads === 1 ? 0 : briefSpinMicroseconds),
  }));
}

function shareOf({ cores, workers }: Pick<ThreadLoad, "cores" | "workers">): number {
  return Math.max(1, Math.floor(cores / workers));
}

/** 1, 2, 4, 8 and so on, and the last. */
export function countsUpTo(last: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < last; count *= 2) counts.push(count);
  return [...counts, last];
}

/** What a step takes by {@link fittedCosts}, without what is the same with any settings. */
export function predictMicroseconds(
  { bytes, matrices, bits }: Pick<StepWeights, "bytes" | "matrices" | "bits">,
  { threads, spinMicroseconds }: ThreadSettings,
): number {
  const { bytesPerMicrosecond, furtherThread, handOffMicroseconds } = fittedCosts;
  const rate = bits <= 8 ? bytesPerMicrosecond.quantised : bytesPerMicrosecond.floats;
  const handOff =
    spinMicroseconds === 0 ? handOffMicroseconds.sleeping : handOffMicroseconds.spinning;
  const others = threads - 1;
  return bytes / (rate * (1 + others * furtherThread)) + matrices * others * handOff;
}

/** What the rule takes: the simplest settings that are nearly as fast as any. */
export function settingsByRule(load: ThreadLoad): ThreadSettings {
  const weights = load.weights ?? middling;
  const predicted = possibleSettings(load).map((settings) => ({
    ...settings,
    microseconds: predictMicroseconds(weights, settings),
  }));
  return best(load, predicted);
}

/**
 * What measurements say of the settings that may be chosen: what the rule takes, unless others are
 * clearly faster; and the simplest of those that are nearly as fast where the rule's were not
 * measured.
 *
 * @returns undefined where none of them were measured
 */
export function settingsByTimings(
  load: ThreadLoad,
  timings: readonly TimedSettings[],
): ThreadSettings | undefined {
  const possible = possibleSettings(load);
  const measured = possible.flatMap((settings) => {
    const timed = timings.find((candidate) => areEqual(candidate, settings));
    return timed === undefined ? [] : [timed];
  });
  if (measured.length === 0) return undefined;
  const ruled = settingsByRule(load);
  const own = measured.find((timed) => areEqual(timed, ruled));
  const fastest = Math.min(...measured.map(({ microseconds }) => microseconds));
  return own !== undefined && own.microseconds < fastest * leastGain ? ruled : best(load, measured);
}

/** @param timed not empty */
function best(load: ThreadLoad, timed: readonly TimedSettings[]): ThreadSettings {
  const share = shareOf(load);
  const within = simplest(timed.filter(({ threads }) => threads <= share));
  const beyond = simplest(timed.filter(({ threads }) => threads > share));
  const isBeyond =
    within === undefined ||
    (beyond !== undefined && beyond.microseconds * leastGainBeyondShare <= within.microseconds);
  const { threads, spinMicroseconds } = (isBeyond ? beyond : within) as TimedSettings;
  return { threads, spinMicroseconds };
}

/**
 * The simplest of those that are nearly as fast as any: with the fewest threads, and of these with
 * the shortest spinning.
 *
 * @param gain how many times faster others have to be to be taken instead
 * @returns undefined for none
 */
export function simplest<Timed extends TimedSettings>(
  timed: readonly Timed[],
  gain: number = leastGain,
): Timed | undefined {
  const fastest = Math.min(...timed.map(({ microseconds }) => microseconds));
  const [first] = timed
    .filter(({ microseconds }) => microseconds < fastest * gain)
    .toSorted(bySimplicity);
  return first;
}

/** For sorting: fewer threads first, then shorter spinning. */
export function bySimplicity(one: ThreadSettings, other: ThreadSettings): number {
  return one.threads - other.threads || one.spinMicroseconds - other.spinMicroseconds;
}

/**
 * The settings that are worth a measurement while a model loads, four at most: one thread, what the
 * rule takes, half as many threads and twice as many.
 */
export function settingsToTime(load: ThreadLoad): ThreadSettings[] {
  const { threads } = settingsByRule(load);
  const possible = possibleSettings(load);
  // Where the rule takes one thread, the question is whether two are faster.
  const most = Math.max(threads, Math.min(2, ...possible.slice(-1).map((last) => last.threads)));
  const counts = new Set([1, Math.ceil(most / 2), most, 2 * most]);
  return possible.filter((settings) => counts.has(settings.threads));
}
