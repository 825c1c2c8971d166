import { leastTrialGain, simplest } from "../threads/thread-rule.js";
import { areEqual, type ThreadSettings } from "../threads/thread-settings.js";

/** Tokens per second of one run, with one stream and with several. */
export interface TuneRun {
  readonly one: number;
  readonly many: number;
}

/** A model that is loaded with some settings. */
export interface TunedModel {
  /** Generates with one stream, then with several. The first call after loading does not count. */
  run(): Promise<TuneRun>;
  close(): Promise<void>;
}

/** Tokens per second over the blocks. */
export interface TunedSpeed {
  /** The middle of the blocks. */
  readonly tokensPerSecond: number;
  readonly least: number;
  readonly most: number;
}

/** Settings, and how fast the model is with them. */
export interface TunedSettings extends ThreadSettings {
  /** What is chosen for this model where nobody says anything. */
  readonly isDefault: boolean;
  readonly one: TunedSpeed;
  readonly many: TunedSpeed;
}

export interface TuneSettingsOptions {
  readonly settings: readonly ThreadSettings[];
  readonly defaults: ThreadSettings;
  /** In each, every one of the settings runs once. */
  readonly blocks: number;
  /** Loads the model. One is closed before the next is opened: two might not fit. */
  readonly open: (settings: ThreadSettings) => Promise<TunedModel>;
  /** Before each run: how many have ended, and what runs now. */
  readonly onRun: (doneRuns: number, settings: ThreadSettings) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Tries settings in interleaved blocks: each block begins with another of them, and every second
 * one goes backwards, so that a machine that becomes slower or faster meanwhile treats all alike.
 *
 * @throws the signal's reason; what opening and running do
 */
export async function tuneSettings(options: TuneSettingsOptions): Promise<TunedSettings[]> {
  const { settings, defaults, blocks, open, onRun, signal } = options;
  const runs = settings.map((): TuneRun[] => []);
  let done = 0;
  for (let block = 0; block < blocks; block += 1) {
    for (const index of orderOf(settings.length, block)) {
      const one = settings[index] as ThreadSettings;
      signal?.throwIfAborted();
      onRun(done, one);
      const model = await open(one);
      try {
        await model.run();
        signal?.throwIfAborted();
        runs[index]?.push(await model.run());
      } finally {
        await model.close();
      }
      signal?.throwIfAborted();
      done += 1;
    }
  }
  return settings.map((one, index) => ({
    ...one,
    isDefault: areEqual(one, defaults),
    one: summarize((runs[index] ?? []).map((run) => run.one)),
    many: summarize((runs[index] ?? []).map((run) => run.many)),
  }));
}

/** 0 1 2, then 2 1 0, 1 2 0, 0 2 1, and so on. */
function orderOf(length: number, block: number): number[] {
  const first = block >> 1;
  const turned = Array.from({ length }, (_, index) => (first + index) % length);
  return block % 2 === 0 ? turned : turned.toReversed();
}

function summarize(speeds: readonly number[]): TunedSpeed {
  const sorted = speeds.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const [before = 0, at = 0] = [sorted[middle - 1], sorted[middle]];
  return {
    tokensPerSecond: sorted.length % 2 === 0 ? (before + at) / 2 : at,
    least: sorted[0] ?? 0,
    most: sorted.at(-1) ?? 0,
  };
}

/**
 * What is best for one stream, or for several: the simplest of those that are within 2 % of the
 * fastest. What is closer than that is chance.
 */
export function bestOf(tuned: readonly TunedSettings[], streams: "one" | "many"): TunedSettings {
  const best = simplest(
    tuned.map((one) => ({ ...one, microseconds: microsecondsOf(one, streams) })),
    leastTrialGain,
  );
  const found = tuned.find((one) => best !== undefined && areEqual(one, best));
  if (found === undefined) throw new RangeError("There are no settings to choose from.");
  return found;
}

/** Of a token. */
export function microsecondsOf(tuned: TunedSettings, streams: "one" | "many"): number {
  return 1e6 / tuned[streams].tokensPerSecond;
}
