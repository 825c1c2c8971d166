import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import { embeddedModel } from "../embedded-model.js";
import type { EngineSpec } from "../engine/engine.js";
import type { LoadProgress } from "../engine/load-progress.js";
import type { PacedModel } from "../engine/paced-model.js";
import { bundledExecutionProviders } from "../engine/execution-provider.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { checkOptionNames } from "../option-names.js";
import { resolveRingOptions, type RingOptions } from "../ring/index.js";
import type { GenerationObserver } from "./generation-observer.js";

/** What both hosts take. */
export interface EngineOptions {
  /**
   * A model folder in the layout of Hugging Face or of onnxruntime-genai, as a
   * path or file URL, or a paced model. Default: the embedded model.
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
   * Threads that work on one step, ≥ 1. The default leaves one core to the
   * thread that consumes the tokens, shares the others among the workers, and is
   * at most 4.
   */
  readonly threads?: number;
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
  readonly onProgress: (progress: RuntimeLoadProgress) => void;
}

const mostDefaultThreads = 4;
const defaultMaxQueue = 1024;
const smallestHeapMegabytes = 4;
const engineOptionNames = [
  "model",
  "dtype",
  "executionProvider",
  "threads",
  "prefixReuse",
  "maxBatch",
  "operatorProfile",
  "maxQueue",
];
const runtimeOptionNames = [
  ...engineOptionNames,
  "workers",
  "ring",
  "maxHeapMegabytes",
  "observers",
  "onProgress",
];

/** @throws StreamgaugeError `INVALID_OPTION` */
export function resolveRuntimeOptions(options: RuntimeOptions): ResolvedRuntimeOptions {
  checkOptionNames(options, runtimeOptionNames);
  const { maxHeapMegabytes, observers = [], onProgress = () => undefined } = options;
  const workers = readCount("workers", options.workers ?? 1);
  checkObservers(observers);
  return {
    workers,
    spec: resolveSpec(options, workers),
    ring: resolveRingOptions(options.ring),
    maxQueue: readMaxQueue(options),
    maxHeapMegabytes:
      maxHeapMegabytes === undefined
        ? undefined
        : readCount("maxHeapMegabytes", maxHeapMegabytes, smallestHeapMegabytes),
    observers,
    onProgress,
  };
}

/** @throws StreamgaugeError `INVALID_OPTION` */
export function resolveEngineOptions(options: EngineOptions): ResolvedEngineOptions {
  checkOptionNames(options, engineOptionNames);
  return { spec: resolveSpec(options, 1), maxQueue: readMaxQueue(options) };
}

function readMaxQueue({ maxQueue = defaultMaxQueue }: EngineOptions): number {
  if (maxQueue === Infinity || (Number.isInteger(maxQueue) && maxQueue >= 0)) return maxQueue;
  throw invalid(`maxQueue is ${String(maxQueue)}; it must be an integer ≥ 0, or Infinity.`);
}

function checkObservers(observers: unknown): void {
  const isObserver = (value: unknown): boolean =>
    typeof value === "object" &&
    value !== null &&
    "generationEnded" in value &&
    typeof value.generationEnded === "function";
  if (Array.isArray(observers) && observers.every(isObserver)) return;
  throw invalid("observers must be an array of objects that have a function generationEnded().");
}

function resolveSpec(options: EngineOptions, workers: number): EngineSpec {
  const { model = embeddedModel, dtype, prefixReuse, operatorProfile } = options;
  const { executionProvider, maxBatch } = options;
  const cores = availableParallelism();
  const share = Math.floor((cores - 1) / workers);
  const defaultThreads = Math.min(mostDefaultThreads, Math.max(1, share));
  const threads = readCount("threads", options.threads ?? defaultThreads);
  checkDtype(dtype);
  checkExecutionProvider(executionProvider);
  checkPrefixReuse(prefixReuse);
  if (maxBatch !== undefined) readCount("maxBatch", maxBatch);
  checkOperatorProfile(operatorProfile);
  if (typeof model === "object" && model !== null && "kind" in model) {
    if (dtype !== undefined) throw invalid("The paced model has no weights: leave dtype out.");
    if (executionProvider !== undefined) {
      throw invalid("The paced model has no operators to run: leave executionProvider out.");
    }
    if (prefixReuse !== undefined) {
      throw invalid("The paced model has no key/value cache: leave prefixReuse out.");
    }
    if (maxBatch !== undefined) {
      throw invalid("The paced model runs one generation at a time: leave maxBatch out.");
    }
    if (operatorProfile === undefined) return model;
    throw invalid("The paced model has no operators to profile: leave operatorProfile out.");
  }
  if (typeof model !== "string" && !(model instanceof URL)) {
    throw invalid(
      `model is ${model === null ? "null" : typeof model}; it must be a folder's path, a file URL or a paced model.`,
    );
  }
  return {
    kind: "onnx",
    folder: resolve(model instanceof URL ? fileURLToPath(model) : model),
    dtype,
    executionProvider: executionProvider ?? "cpu",
    threads,
    // A spinning thread takes its core from whoever else needs it.
    spinning: threads > 1 && workers * threads < cores,
    prefixReuse: prefixReuse ?? true,
    maxBatch,
    operatorProfile: operatorProfile === undefined ? undefined : resolve(operatorProfile),
  };
}

function checkDtype(dtype: ModelDtype | undefined): void {
  if (dtype === undefined || modelDtypes.includes(dtype)) return;
  throw invalid(`dtype is ${JSON.stringify(dtype)}; it must be one of ${modelDtypes.join(", ")}.`);
}

function checkExecutionProvider(name: string | undefined): void {
  if (name === undefined || name === "cpu") return;
  const there = bundledExecutionProviders();
  if (there.includes(name)) return;
  throw invalid(
    `executionProvider is ${JSON.stringify(name)}; onnxruntime-node has on this platform: ` +
      `${there.join(", ")}.`,
  );
}

function checkPrefixReuse(prefixReuse: boolean | undefined): void {
  if (prefixReuse === undefined || typeof prefixReuse === "boolean") return;
  throw invalid(`prefixReuse is ${String(prefixReuse)}; it must be true or false.`);
}

function checkOperatorProfile(prefix: unknown): void {
  if (prefix === undefined || (typeof prefix === "string" && prefix !== "")) return;
  throw invalid(
    `operatorProfile is ${prefix === "" ? "empty" : typeof prefix}; it must be a path prefix for files.`,
  );
}

function readCount(name: string, value: number, smallest = 1): number {
  if (Number.isInteger(value) && value >= smallest) return value;
  throw invalid(`${name} is ${String(value)}; it must be an integer ≥ ${smallest}.`);
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_OPTION", message);
}
