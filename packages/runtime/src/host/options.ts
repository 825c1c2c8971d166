import { resolve } from "node:path";
import {
  booleanCheck,
  choiceCheck,
  countCheck,
  functionCheck,
  integerCheck,
  invalidOption,
  readOptions,
  type OptionCheck,
  type OptionTable,
  type ResolvedOptions,
} from "@streamgauge/core";
import { embeddedModel } from "../embedded-model.js";
import type { EngineSpec } from "../engine/engine.js";
import type { LoadProgress } from "../engine/load-progress.js";
import type { PacedModel } from "../engine/paced-model.js";
import { bundledExecutionProviders } from "../engine/execution-provider.js";
import { locateModel } from "../hub/locate-model.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { resolveRingOptions, type RingOptions } from "../ring/index.js";
import type { StepGate } from "../diagnostics/step-gate.js";
import { mostSpinMicroseconds, tunings, type Tuning } from "../threads/thread-settings.js";
import type { GenerationObserver } from "./generation-observer.js";

/** What both hosts take. */
export interface EngineOptions {
  /**
   * A model folder in the layout of Hugging Face or of onnxruntime-genai, as a
   * path or file URL; `"hub:owner/name"` or `"hub:owner/name@revision"` for what
   * `streamgauge pull` or Hugging Face's own tools have put into the hub's cache (nothing
   * is downloaded here); or a paced model. Default: the embedded model.
   */
  readonly model?: string | URL | PacedModel;
  /**
   * Which graph of the model folder to run, by how its numbers are stored, in
   * transformers.js's words: "fp32" is `onnx/model.onnx`, "q4" is
   * `onnx/model_q4.onnx`, and so on. Default: what the folder's `config.json` says
   * under `transformers.js_config`, or else "fp32". Only for ONNX models in Hugging
   * Face's layout; the other has one graph.
   */
  readonly dtype?: ModelDtype;
  /**
   * Which of onnxruntime's execution providers runs the model, of those that
   * onnxruntime-node brings along on this platform: beside "cpu" these are for
   * instance "webgpu", "dml" on Windows and "coreml" on macOS. Operators that it
   * does not have run on the CPU. Default "cpu", the one that is tested and
   * measured. Only for ONNX models.
   */
  readonly executionProvider?: string;
  /**
   * Threads that work on one step, ≥ 1. Default: what is fastest for this model on
   * this machine, at most twice a worker's share of the cores, and 8; see
   * {@link tuning}, and `describe().reasons`.
   */
  readonly threads?: number;
  /**
   * How long a thread that has nothing to do in the middle of a step looks for
   * work before it sleeps, from 0 to 10,000 microseconds. Long spinning takes cores
   * from everybody else. Default: 5 (a single thread never waits).
   */
  readonly spinMicroseconds?: number;
  /**
   * How `threads` and `spinMicroseconds` are found where they are left out.
   * "keep": as they were measured for this model on this machine. If they were not
   * yet, a measurement is made while the model loads, in about a tenth of that
   * time, and kept in the user's cache folder (`STREAMGAUGE_CACHE_DIR` names
   * another). "measure": the same, but nothing is written. "rule": from the size of
   * the weights and the number of cores; nothing is measured, read or written. With
   * several workers nothing is measured. Default: what the environment variable
   * `STREAMGAUGE_TUNING` says, or else "keep". Only for ONNX models.
   */
  readonly tuning?: Tuning;
  /**
   * Whether a generation goes on from the key/value cache of the one before where
   * their ids begin alike, instead of running that part of its prompt again, as far
   * as the graph allows that without choosing other ids (see `describe()`);
   * `usage.cachedTokens` says how many ids that was. Default true. Each
   * worker keeps one cache, as long as its last generation made it. Only for ONNX models.
   */
  readonly prefixReuse?: boolean;
  /**
   * Most generations that a worker runs together, one step for all of them, ≥ 1. A
   * step reads the weights once, however many it serves, so that concurrent callers
   * get far more tokens in all, each of them somewhat later; a lone caller notices
   * nothing. Their ids are what they would be alone. Default: 8 where the graph
   * allows that, and 1 elsewhere (see `describe()`), where more is refused: without
   * GroupQueryAttention, and where activations are quantised by their range. Each
   * generation has cache buffers as long as those of the longest. Only for ONNX models.
   */
  readonly maxBatch?: number;
  /**
   * Makes onnxruntime time every operator of every run, which slows it. A path
   * prefix in a folder that exists: each session writes
   * `<prefix>-<thread id>-<eight hex digits>_<time>.json` when it is closed, and
   * `operatorProfiles()` names the files then. Each is an array of trace events;
   * those with `cat` "Node" carry `args.op_name` and `dur` in microseconds. The
   * first runs are those of the warm-up while loading.
   *
   * onnxruntime keeps the first million events of a session in memory until then,
   * at some 2.5 kB each, and drops what comes later: with the embedded model that
   * is about 15,000 tokens.
   *
   * Only for ONNX models.
   */
  readonly operatorProfile?: string;
  /**
   * Most calls that wait for their turn, ≥ 0; a call more rejects with
   * `QUEUE_FULL`, and with 0 so does every call that finds nothing free. Default
   * 1024: a waiting stream has its ring already, 16 kB as long as the ring's
   * capacity is the default, so that a flood of calls takes megabytes, not all
   * memory. `Infinity` for no limit.
   */
  readonly maxQueue?: number;
}

export interface RuntimeOptions extends EngineOptions {
  /** Worker threads, each with a copy of the model, ≥ 1. Default 1. */
  readonly workers?: number;
  /**
   * Most megabytes of a worker's JavaScript heap, ≥ 4; the model's weights and
   * its cache lie outside of it. A worker that needs more is lost, and replaced.
   * This is V8's to do, and it ends the whole process where a thread cannot begin
   * with what it has, or where one allocation (an array or a map that doubles, say)
   * leaps far beyond the limit. Default: Node's own limit, which depends on the
   * machine's memory.
   */
  readonly maxHeapMegabytes?: number;
  /** Told of each generation when it has ended. */
  readonly observers?: readonly GenerationObserver[];
  /** How tokens cross threads. */
  readonly ring?: RingOptions;
  /**
   * Asked for each call by its `clientId`: what holds its generation between tokens, for
   * measurements; undefined: nothing does.
   */
  readonly stepGate?: (clientId: string | undefined) => StepGate | undefined;
  /** Called while workers load. */
  readonly onProgress?: (progress: RuntimeLoadProgress) => void;
}

export interface RuntimeLoadProgress extends LoadProgress {
  readonly threadId: number;
}

/** Options of {@link createInlineGenerator}, with the defaults filled in. */
export interface ResolvedEngineOptions {
  readonly spec: EngineSpec;
  readonly maxQueue: number;
}

/** Options of {@link createRuntime}, with the defaults filled in. */
export interface ResolvedRuntimeOptions extends ResolvedEngineOptions {
  readonly workers: number;
  readonly ring: Required<RingOptions>;
  readonly maxHeapMegabytes: number | undefined;
  readonly observers: readonly GenerationObserver[];
  readonly stepGate: NonNullable<RuntimeOptions["stepGate"]>;
  readonly onProgress: (progress: RuntimeLoadProgress) => void;
}

/** The options that stay `undefined` when they are not given. */
type WithoutDefault = "dtype" | "threads" | "spinMicroseconds" | "maxBatch" | "operatorProfile";

/** The options that are resolved to another form than they are given in. */
interface Reshaped {
  /** The absolute path of a model folder, or a paced model. */
  readonly model: string | PacedModel;
  readonly ring: Required<RingOptions>;
}

type EngineChoices = ResolvedOptions<EngineOptions, WithoutDefault, Reshaped>;
type RuntimeChoices = ResolvedOptions<
  RuntimeOptions,
  WithoutDefault | "maxHeapMegabytes",
  Reshaped
>;

const defaultWorkers = 1;

const modelCheck: OptionCheck<string | URL | PacedModel> = {
  accepts: (value): value is string | URL | PacedModel =>
    typeof value === "string" || value instanceof URL || isPacedModel(value),
  expected: 'a folder\'s path, a file URL, "hub:owner/name" or a paced model',
};

const executionProviderCheck: OptionCheck<string> = {
  // onnxruntime is asked only where it has to be: it takes a while to load.
  accepts: (value): value is string =>
    value === "cpu" || (bundledExecutionProviders() as readonly unknown[]).includes(value),
  get expected() {
    const names = bundledExecutionProviders().join(", ");
    return `one that onnxruntime-node has on this platform: ${names}`;
  },
};

const observersCheck: OptionCheck<readonly GenerationObserver[]> = {
  accepts: (value): value is readonly GenerationObserver[] =>
    Array.isArray(value) && value.every(isObserver),
  expected: "an array of objects that have a function generationEnded()",
};

const engineTable: OptionTable<EngineOptions, EngineChoices> = {
  model: {
    check: modelCheck,
    default: embeddedModel,
    resolve: (model) => (isPacedModel(model) ? model : locateModel(model).folder),
  },
  dtype: { check: choiceCheck(modelDtypes), default: undefined },
  executionProvider: { check: executionProviderCheck, default: "cpu" },
  threads: { check: integerCheck(1), default: undefined },
  spinMicroseconds: { check: integerCheck(0, mostSpinMicroseconds), default: undefined },
  tuning: { check: choiceCheck(tunings), defaultFrom: defaultTuning },
  prefixReuse: { check: booleanCheck, default: true },
  maxBatch: { check: integerCheck(1), default: undefined },
  operatorProfile: {
    check: {
      accepts: (value): value is string => typeof value === "string" && value !== "",
      expected: "a path prefix for files",
    },
    default: undefined,
    resolve: (prefix) => resolve(prefix),
  },
  maxQueue: { check: countCheck(0), default: 1024 },
};

const runtimeTable: OptionTable<RuntimeOptions, RuntimeChoices> = {
  ...engineTable,
  workers: { check: integerCheck(1), default: defaultWorkers },
  ring: {
    check: {
      accepts: (value): value is RingOptions => typeof value === "object" && value !== null,
      expected: "an object with options of the ring",
    },
    default: resolveRingOptions(),
    resolve: resolveRingOptions,
  },
  maxHeapMegabytes: { check: integerCheck(4), default: undefined },
  observers: { check: observersCheck, default: [] },
  stepGate: { check: functionCheck(), default: () => undefined },
  onProgress: { check: functionCheck(), default: () => undefined },
};

/** @throws StreamgaugeError `INVALID_OPTION`; `MODEL_NOT_FOUND` for a hub's model that was not pulled */
export function resolveRuntimeOptions(options: RuntimeOptions): ResolvedRuntimeOptions {
  const choices = readOptions(options, runtimeTable);
  const { workers, stepGate } = choices;
  const { ring, maxQueue, maxHeapMegabytes, observers, onProgress } = choices;
  refuseForPacedModel(options);
  const spec = specOf(choices, workers);
  return { workers, spec, ring, maxQueue, maxHeapMegabytes, observers, stepGate, onProgress };
}

/** @throws StreamgaugeError `INVALID_OPTION`; `MODEL_NOT_FOUND` for a hub's model that was not pulled */
export function resolveEngineOptions(options: EngineOptions): ResolvedEngineOptions {
  const choices = readOptions(options, engineTable);
  refuseForPacedModel(options);
  return { spec: specOf(choices, defaultWorkers), maxQueue: choices.maxQueue };
}

function specOf(choices: EngineChoices, workers: number): EngineSpec {
  const { model, dtype, executionProvider, prefixReuse, maxBatch, operatorProfile } = choices;
  if (isPacedModel(model)) return model;
  const { threads, spinMicroseconds, tuning } = choices;
  return {
    kind: "onnx",
    folder: model,
    dtype,
    executionProvider,
    threads,
    spinMicroseconds,
    tuning,
    workers,
    prefixReuse,
    maxBatch,
    operatorProfile,
  };
}

/** What the paced model has no use for, and why. */
const pacedRefusals: Partial<Record<keyof EngineOptions, string>> = {
  dtype: "has no weights",
  executionProvider: "has no operators to run",
  threads: "computes nothing that threads could share",
  prefixReuse: "has no key/value cache",
  maxBatch: "runs one generation at a time",
  operatorProfile: "has no operators to profile",
  spinMicroseconds: "has no threads that wait for each other",
  tuning: "has no threads to choose",
};

function refuseForPacedModel(options: EngineOptions): void {
  if (!isPacedModel(options.model)) return;
  for (const [option, why] of Object.entries(pacedRefusals)) {
    if (options[option as keyof EngineOptions] === undefined) continue;
    throw invalidOption(`The paced model ${why}: leave ${option} out.`);
  }
}

function isPacedModel(value: unknown): value is PacedModel {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "paced";
}

function isObserver(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    "generationEnded" in value &&
    typeof value.generationEnded === "function"
  );
}

/**
 * What `tuning` is where it is left out.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for an environment variable that says something else
 */
export function defaultTuning(): Tuning {
  const { STREAMGAUGE_TUNING: said } = process.env;
  if (said === undefined || said === "") return "keep";
  const known = tunings.find((tuning) => tuning === said);
  if (known !== undefined) return known;
  throw invalidOption(
    `The environment variable STREAMGAUGE_TUNING is "${said}"; it must be one of ${tunings.join(", ")}.`,
  );
}
