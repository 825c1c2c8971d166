import { type StreamgaugeError, invalidOption, isStreamgaugeError } from "@streamgauge/core";
import { describeOnnxModel, type EngineDescription } from "../engine/engine.js";
import { openOnnxModel, type OnnxModelOptions } from "../engine/onnx-model.js";
import { resolveEngineOptions, type EngineOptions } from "../host/options.js";
import { checkGenerations, isRight, type CheckedPart } from "./check-generations.js";
import type { CheckProgress } from "./check-progress.js";
import { checkText, type CheckedText } from "./check-text.js";

/** What {@link checkModel} is told. */
export interface CheckModelOptions extends Pick<
  EngineOptions,
  "dtype" | "executionProvider" | "threads"
> {
  /**
   * A model folder, as a path or file URL, or `"hub:owner/name"` for a pulled one. Default: the
   * embedded model.
   */
  readonly model?: string | URL;
  /** Called when a part begins and after each of its tokens. */
  readonly onProgress?: (progress: CheckProgress) => void;
  /** Ends the check at its next step; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What {@link checkModel} has found. */
export interface ModelCheck {
  /**
   * "right": every id is the one that a run without a cache chooses. "wrong": some are not, or a run failed.
   * "refused": the folder cannot be opened, and {@link refusal} says why.
   */
  readonly verdict: "right" | "wrong" | "refused";
  readonly folder: string;
  readonly refusal: StreamgaugeError | undefined;
  /** How the graph is run, and why; undefined where it was refused. */
  readonly description: EngineDescription | undefined;
  /** The ways in which it was run, in order. */
  readonly parts: readonly CheckedPart[];
  /** What the tokenizer and the chat template do; undefined where the graph was refused. */
  readonly text: CheckedText | undefined;
}

/**
 * Opens a model folder, generates greedily alone, beside others with one that stands still,
 * in pieces, in further turns and after cutting back, and holds each id and log-probability
 * against a run of all ids without any cache in the same session. Says also whether the tokenizer
 * gives texts back and the chat template renders.
 *
 * Runs in the calling thread, which each step blocks. Takes some 300 runs without a cache: a
 * second for the embedded model, minutes for a large one.
 *
 * @throws StreamgaugeError `INVALID_OPTION`; what onnxruntime throws in a run without a cache; the
 *   signal's reason. A folder that is refused is an answer, and not thrown.
 */
export async function checkModel(options: CheckModelOptions = {}): Promise<ModelCheck> {
  const { onProgress = () => undefined, signal, ...engineOptions } = options;
  const { spec } = resolveEngineOptions(engineOptions);
  if (spec.kind !== "onnx") {
    throw invalidOption(
      "The paced model computes nothing that could be checked: give a model folder.",
    );
  }
  return await checkSpec(spec, onProgress, signal);
}

/** As {@link checkModel}, with options that tests alone have. */
export async function checkSpec(
  spec: OnnxModelOptions,
  onProgress: (progress: CheckProgress) => void,
  signal: AbortSignal | undefined,
): Promise<ModelCheck> {
  const { folder } = spec;
  const startedAt = performance.now();
  let opened: Awaited<ReturnType<typeof openOnnxModel>>;
  try {
    opened = await openOnnxModel(spec, ({ stage }) =>
      onProgress({ part: stage, doneTokens: 0, totalTokens: 0 }),
    );
  } catch (error) {
    if (!isStreamgaugeError(error) || !refusals.has(error.code)) throw error;
    const nothing = { description: undefined, parts: [], text: undefined };
    return { verdict: "refused", folder, refusal: error, ...nothing };
  }
  const { model } = opened;
  try {
    const description = describeOnnxModel(opened, spec, performance.now() - startedAt);
    const parts = await checkGenerations(opened, onProgress, signal);
    return {
      verdict: parts.every(isRight) ? "right" : "wrong",
      folder,
      refusal: undefined,
      description,
      parts,
      text: await checkText(model),
    };
  } finally {
    await model.close();
  }
}

const refusals: ReadonlySet<string> = new Set([
  "MODEL_NOT_FOUND",
  "MODEL_CORRUPT",
  "MODEL_UNSUPPORTED",
]);
