import {
  StreamgaugeError,
  choiceCheck,
  functionCheck,
  integerCheck,
  invalidOption,
  messageOf,
  readOptions,
  signalCheck,
  type OptionCheck,
  type OptionTable,
  type ResolvedOptions,
} from "@streamgauge/core";
import { defaultTuning, type EngineOptions, type RuntimeOptions } from "../host/options.js";
import { createRuntime, type Runtime, type RuntimeDescription } from "../host/runtime.js";
import { cacheFolder, keepTimings, requireKeeping } from "../threads/kept-timings.js";
import { machineClass } from "../threads/machine-class.js";
import { briefSpinMicroseconds, bySimplicity, countsUpTo } from "../threads/thread-rule.js";
import { areEqual, type ThreadSettings } from "../threads/thread-settings.js";
import { usableCores } from "../threads/usable-cores.js";
import {
  bestOf,
  microsecondsOf,
  tuneSettings,
  type TunedModel,
  type TunedSettings,
} from "./tune-settings.js";

type ModelOptions = Pick<EngineOptions, "model" | "dtype" | "maxBatch">;

/** What {@link tuneModel} is told. */
export interface TuneModelOptions extends ModelOptions {
  /** Worker threads, each with a copy of the model, ≥ 1. Default 1. */
  readonly workers?: number;
  /** In each block every one of the settings runs once, ≥ 1. Default 5. */
  readonly blocks?: number;
  /** How many streams "many" are, ≥ 2. Default 8. */
  readonly streams?: number;
  /** Ids of each prompt, ≥ 2. Default 64. */
  readonly contextTokens?: number;
  /** Tokens of each stream, ≥ 2. Default 48. */
  readonly tokens?: number;
  /**
   * Keeps what is best for one stream, or for many, in the user's cache folder: runtimes that
   * choose for themselves take it from then on. Whether it can be written to is looked at before
   * anything runs. Default: nothing is written.
   */
  readonly save?: "one" | "many";
  /** Called before each run. */
  readonly onProgress?: (progress: TuneProgress) => void;
  /** Ends the trial at its next step; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** How far {@link tuneModel} is. */
export interface TuneProgress {
  /** Settings × blocks. */
  readonly totalRuns: number;
  readonly doneRuns: number;
  /** What runs now. */
  readonly settings: ThreadSettings;
}

/** What {@link tuneModel} has found. */
export interface TuneReport {
  /** How the model runs where nobody chooses. */
  readonly description: RuntimeDescription;
  /** That this process may use. */
  readonly cores: number;
  readonly blocks: number;
  readonly streams: number;
  readonly contextTokens: number;
  readonly tokens: number;
  /** The simplest first. */
  readonly settings: readonly TunedSettings[];
  readonly best: { readonly one: ThreadSettings; readonly many: ThreadSettings };
  /** The file that was written; undefined: nothing was. */
  readonly savedFile: string | undefined;
}

type WithoutDefault = "model" | "dtype" | "maxBatch" | "save" | "signal";
type Choices = ResolvedOptions<TuneModelOptions, WithoutDefault>;

/** The runtime checks what is its own. */
const anything: OptionCheck<never> = {
  accepts: (value): value is never => value !== undefined,
  expected: "an option of createRuntime",
};

const table: OptionTable<TuneModelOptions, Choices> = {
  model: { check: anything, default: undefined },
  dtype: { check: anything, default: undefined },
  maxBatch: { check: anything, default: undefined },
  workers: { check: integerCheck(1), default: 1 },
  blocks: { check: integerCheck(1), default: 5 },
  streams: { check: integerCheck(2), default: 8 },
  contextTokens: { check: integerCheck(2), default: 64 },
  tokens: { check: integerCheck(2), default: 48 },
  save: { check: choiceCheck(["one", "many"]), default: undefined },
  onProgress: { check: functionCheck(), default: () => undefined },
  signal: { check: signalCheck, default: undefined },
};

/** How long threads spin: not at all, through short gaps, through a step, and into the next. */
const spins = [0, briefSpinMicroseconds, 50, 1000] as const;

/**
 * Runs a model with each of the settings for threads that this machine has cores for, in
 * interleaved blocks, and says which are fastest: for one stream, and for many. The model is loaded
 * anew for each run, so that two never take memory at once.
 *
 * @throws StreamgaugeError as `createRuntime()`; `INVALID_OPTION`; `CACHE_FAILED` where the result
 *   cannot be kept; the signal's reason
 */
export async function tuneModel(options: TuneModelOptions = {}): Promise<TuneReport> {
  const choices = readOptions(options, table);
  const { workers, blocks, streams, contextTokens, tokens, save, signal, onProgress } = choices;
  const model = modelOptions(options);
  refusePacedModel(model);
  if (save !== undefined) await keeping(requireKeeping);
  const cores = usableCores();
  const tuning = defaultTuning() === "rule" ? "rule" : "measure";
  const description = await describeDefault({ ...model, workers, tuning });
  refuseWhatDoesNotFit(choices, description);
  const defaults = {
    threads: description.threads,
    spinMicroseconds: description.spinMicroseconds,
  };
  const settings = settingsToTry(cores, defaults);
  const tuned = await tuneSettings({
    settings,
    defaults,
    blocks,
    signal,
    onRun: (doneRuns, one) =>
      onProgress({ doneRuns, totalRuns: settings.length * blocks, settings: one }),
    open: async (one) =>
      streamsOf(await createRuntime({ ...model, workers, ...one }), choices, description),
  });
  const best = { one: bare(bestOf(tuned, "one")), many: bare(bestOf(tuned, "many")) };
  const savedFile =
    save === undefined ? undefined : await keep(tuned, save, description, workers, cores);
  const { length } = settings;
  onProgress({ doneRuns: length * blocks, totalRuns: length * blocks, settings: best.one });
  return {
    description,
    cores,
    blocks,
    streams,
    contextTokens,
    tokens,
    settings: tuned,
    best,
    savedFile,
  };
}

/** What was given of the model, for options that tell absent from undefined. */
function modelOptions({ model, dtype, maxBatch }: ModelOptions): ModelOptions {
  return {
    ...(model !== undefined && { model }),
    ...(dtype !== undefined && { dtype }),
    ...(maxBatch !== undefined && { maxBatch }),
  };
}

async function describeDefault(options: RuntimeOptions): Promise<RuntimeDescription> {
  await using runtime = await createRuntime(options);
  return runtime.describe();
}

function refusePacedModel({ model }: ModelOptions): void {
  if (typeof model !== "object" || model instanceof URL) return;
  throw invalidOption("The paced model has no threads to choose: give a model folder.");
}

function refuseWhatDoesNotFit(
  { contextTokens, tokens, save }: Choices,
  { contextLength, stepWeights, model }: RuntimeDescription,
): void {
  if (contextTokens + tokens > contextLength) {
    throw invalidOption(
      `${model} has a context of ${contextLength}, and contextTokens and tokens are ` +
        `${contextTokens} and ${tokens}: give fewer.`,
    );
  }
  if (save !== undefined && stepWeights === undefined) {
    throw invalidOption(
      `The matrices of ${model} are not found in its graph, and nothing is kept for such models: leave ` +
        `save out, and give threads and spinMicroseconds where it is opened.`,
    );
  }
}

/** Threads by powers of two up to the cores, and what is the default. */
function settingsToTry(cores: number, defaults: ThreadSettings): ThreadSettings[] {
  const tried = countsUpTo(cores).flatMap((threads) =>
    (threads === 1 ? [0] : spins).map((spinMicroseconds) => ({ threads, spinMicroseconds })),
  );
  if (tried.some((one) => areEqual(one, defaults))) return tried;
  return [...tried, defaults].toSorted(bySimplicity);
}

/** Streams of a runtime, whose prompts are run once and then in its caches. */
function streamsOf(
  runtime: Runtime,
  { streams, contextTokens, tokens, signal }: Choices,
  { vocabularySize }: RuntimeDescription,
): TunedModel {
  const prompts = Array.from({ length: streams }, (_, stream) =>
    Array.from({ length: contextTokens }, (_unused, at) => (stream + at * 31) % vocabularySize),
  );
  const config = {
    maxTokens: tokens,
    temperature: 0,
    ignoreEos: true,
    ...(signal !== undefined && { signal }),
  };
  /** @returns when each token came */
  const stream = async (prompt: readonly number[]): Promise<readonly number[]> => {
    const times: number[] = [];
    await runtime.generateStream(prompt, () => void times.push(performance.now()), config);
    return times;
  };
  return {
    async run() {
      const [prompt = []] = prompts;
      const alone = await stream(prompt);
      const calledAt = performance.now();
      const together = (await Promise.all(prompts.map(stream))).flat();
      return {
        // From the first token on: what came before is the prompt.
        one: perSecond(alone.length - 1, (alone.at(-1) ?? 0) - (alone[0] ?? 0)),
        many: perSecond(together.length, Math.max(...together) - calledAt),
      };
    },
    close: () => runtime.close(),
  };
}

function perSecond(tokens: number, milliseconds: number): number {
  return tokens / (milliseconds / 1000);
}

async function keep(
  tuned: readonly TunedSettings[],
  streams: "one" | "many",
  { stepWeights }: RuntimeDescription,
  workers: number,
  cores: number,
): Promise<string> {
  const { shapeHash = "" } = stepWeights ?? {};
  const timings = tuned.map((settings) => ({
    ...bare(settings),
    microseconds: microsecondsOf(settings, streams),
  }));
  const key = { ...machineClass(cores), shapeHash, workers };
  return await keeping((folder) => keepTimings(folder, key, { source: "tune", timings }));
}

/** Does something with the cache folder. */
async function keeping<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = cacheFolder();
  try {
    if (folder === undefined) throw new Error("This user has no home folder.");
    return await work(folder);
  } catch (cause) {
    throw new StreamgaugeError(
      "CACHE_FAILED",
      `What is found cannot be kept in ${folder ?? "a cache folder"} (${messageOf(cause)}). Name another ` +
        `folder by STREAMGAUGE_CACHE_DIR, or leave save out.`,
      { cause },
    );
  }
}

function bare({ threads, spinMicroseconds }: ThreadSettings): ThreadSettings {
  return { threads, spinMicroseconds };
}
