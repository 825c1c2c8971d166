import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import { embeddedModel } from "../embedded-model.js";
import type { EngineSpec, LoadProgress } from "../engine/engine.js";
import type { PacedModel } from "../engine/paced-model.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { checkOptionNames } from "../option-names.js";
import { resolveRingOptions, type RingOptions } from "../ring/index.js";

/** What both hosts take. */
export interface EngineOptions {
  /** A model folder, as a path or file URL, or a paced model. Default: the embedded model. */
  readonly model?: string | URL | PacedModel;
  /**
   * Which graph of the model folder to run, by how its numbers are stored, in
   * transformers.js's words: "fp32" is `onnx/model.onnx`, "q4" is
   * `onnx/model_q4.onnx`, and so on. Default: what the folder's `config.json` says
   * under `transformers.js_config`, or else "fp32". Only for ONNX models.
   */
  readonly dtype?: ModelDtype;
  /**
   * Threads that work on one step, ≥ 1. The default leaves one core to the
   * thread that consumes the tokens, shares the others among the workers, and is
   * at most 4.
   */
  readonly threads?: number;
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
}

export interface RuntimeOptions extends EngineOptions {
  /** Worker threads, each with a copy of the model, ≥ 1. Default 1. */
  readonly workers?: number;
  /** How tokens cross threads. */
  readonly ring?: RingOptions;
  /** Called while workers load. */
  readonly onProgress?: (progress: RuntimeLoadProgress) => void;
}

export interface RuntimeLoadProgress extends LoadProgress {
  readonly threadId: number;
}

const mostDefaultThreads = 4;

/** @throws StreamgaugeError `INVALID_OPTION` */
export function resolveRuntimeOptions(options: RuntimeOptions): {
  readonly spec: EngineSpec;
  readonly workers: number;
  readonly ring: Required<RingOptions>;
} {
  checkOptionNames(options, [
    "model",
    "dtype",
    "threads",
    "operatorProfile",
    "workers",
    "ring",
    "onProgress",
  ]);
  const workers = readCount("workers", options.workers ?? 1);
  return { workers, spec: resolveSpec(options, workers), ring: resolveRingOptions(options.ring) };
}

/** @throws StreamgaugeError `INVALID_OPTION` */
export function resolveEngineOptions(options: EngineOptions): EngineSpec {
  checkOptionNames(options, ["model", "dtype", "threads", "operatorProfile"]);
  return resolveSpec(options, 1);
}

function resolveSpec(options: EngineOptions, workers: number): EngineSpec {
  const { model = embeddedModel, dtype, operatorProfile } = options;
  const cores = availableParallelism();
  const share = Math.floor((cores - 1) / workers);
  const defaultThreads = Math.min(mostDefaultThreads, Math.max(1, share));
  const threads = readCount("threads", options.threads ?? defaultThreads);
  checkDtype(dtype);
  checkOperatorProfile(operatorProfile);
  if (typeof model === "object" && model !== null && "kind" in model) {
    if (dtype !== undefined) throw invalid("The paced model has no weights: leave dtype out.");
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
    threads,
    // A spinning thread takes its core from whoever else needs it.
    spinning: threads > 1 && workers * threads < cores,
    operatorProfile: operatorProfile === undefined ? undefined : resolve(operatorProfile),
  };
}

function checkDtype(dtype: ModelDtype | undefined): void {
  if (dtype === undefined || modelDtypes.includes(dtype)) return;
  throw invalid(`dtype is ${JSON.stringify(dtype)}; it must be one of ${modelDtypes.join(", ")}.`);
}

function checkOperatorProfile(prefix: unknown): void {
  if (prefix === undefined || (typeof prefix === "string" && prefix !== "")) return;
  throw invalid(
    `operatorProfile is ${prefix === "" ? "empty" : typeof prefix}; it must be a path prefix for files.`,
  );
}

function readCount(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw invalid(`${name} is ${String(value)}; it must be an integer ≥ 1.`);
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_OPTION", message);
}
