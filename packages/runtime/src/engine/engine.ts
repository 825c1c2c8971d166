import { basename } from "node:path";
import { type GenerationRequest, type GenerationSummary, type TokenSink } from "@streamgauge/core";
import { hubNameOf } from "../hub/hub-cache.js";
import type { ModelDtype } from "../onnx/model-dtype.js";
import type { StepWeights } from "../onnx/step-weights.js";
import { decode } from "./decode.js";
import type { LoadProgress } from "./load-progress.js";
import type { Model } from "./model.js";
import type { RecommendedSampling } from "./model-settings.js";
import { openOnnxModel, type OnnxModelOptions, type OpenOnnxModel } from "./onnx-model.js";
import { openPacedModel, type PacedModel } from "./paced-model.js";
import type { PrefixReuse } from "./prefix-reuse.js";

/** What to run: plain data that crosses threads. */
export type EngineSpec = ({ readonly kind: "onnx" } & OnnxModelOptions) | PacedModel;

/** What runs, as plain data. */
export interface EngineDescription {
  /** The model folder's name; of one in a hub's cache, `owner/name`; or "paced". */
  readonly model: string;
  readonly engine: "onnxruntime" | "paced";
  readonly architecture: string;
  /** How its numbers are stored; "unknown" where the folder does not say. */
  readonly dtype: ModelDtype | "unknown" | "none";
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly eosTokenIds: readonly number[];
  readonly recommendedSampling: RecommendedSampling;
  /** Whether it takes conversations as prompts. */
  readonly chatTemplate: boolean;
  /**
   * "in-place": the cache stays where it is, and a step writes the rows it adds behind
   * the others. "fetched": the graph hands the whole cache back each step. "none":
   * there is no cache.
   */
  readonly cache: "in-place" | "fetched" | "none";
  /**
   * What a generation's prompt may begin with and is not run again: "sequences",
   * prompt and completion of the one before; "prompts", its prompt alone; "off". Of a graph whose
   * layers keep states: all of either, and no part.
   */
  readonly prefixReuse: PrefixReuse;
  /** Most generations that one step of the engine runs together; the others wait. */
  readonly maxBatch: number;
  /** Why it is run so, in words for people; of the paced engine, nothing. */
  readonly reasons: Readonly<
    Partial<
      Record<"cache" | "prefixReuse" | "maxBatch" | "promptPieces" | "threads" | "spinning", string>
    >
  >;
  /**
   * Where operators run: "cpu", or another of onnxruntime's providers, beside which
   * the CPU runs the operators it does not have, and the choice of each id. "none":
   * there are none.
   */
  readonly executionProvider: string;
  /** Threads of one run. */
  readonly threads: number;
  /** Whether idle threads of a run spin. */
  readonly spinning: boolean;
  /** How long they do before they sleep. */
  readonly spinMicroseconds: number;
  /**
   * What a step of one token reads of the weights; undefined where the graph does not show its
   * matrices, and of the paced engine.
   */
  readonly stepWeights: StepWeights | undefined;
  readonly loadMilliseconds: number;
}

/** A loaded model that generates on the thread that opened it, `maxBatch` requests at once. */
export interface Engine {
  readonly description: EngineDescription;
  /** The file of onnxruntime's operator profile, if one was asked for; whole after {@link close}. */
  readonly operatorProfile: string | undefined;
  /** See {@link decode}. */
  generate(
    request: GenerationRequest,
    sink: TokenSink,
    calledAtMilliseconds: number,
  ): Promise<GenerationSummary>;
  close(): Promise<void>;
}

/** Loads what the spec names. @throws StreamgaugeError with a `MODEL_…` code */
export async function openEngine(
  spec: EngineSpec,
  onProgress: (progress: LoadProgress) => void,
): Promise<Engine> {
  const startedAt = performance.now();
  if (spec.kind === "paced") {
    const model = openPacedModel(spec);
    onProgress({ stage: "ready" });
    return {
      description: {
        ...describeModel(model),
        model: "paced",
        engine: "paced",
        architecture: "none",
        dtype: "none",
        recommendedSampling: { temperature: 0 },
        cache: "none",
        prefixReuse: "off",
        reasons: {},
        executionProvider: "none",
        threads: 1,
        spinning: true,
        spinMicroseconds: 0,
        stepWeights: undefined,
        loadMilliseconds: performance.now() - startedAt,
      },
      operatorProfile: undefined,
      generate: (request, sink, calledAt) => decode(model, request, sink, calledAt),
      close: () => model.close(),
    };
  }
  const opened = await openOnnxModel(spec, onProgress);
  const { model, operatorProfile } = opened;
  onProgress({ stage: "ready" });
  return {
    description: describeOnnxModel(opened, spec, performance.now() - startedAt),
    operatorProfile,
    generate: (request, sink, calledAt) => decode(model, request, sink, calledAt),
    close: () => model.close(),
  };
}

export function describeOnnxModel(
  { model, settings, dtype, plan, threading, stepWeights }: OpenOnnxModel,
  spec: OnnxModelOptions,
  loadMilliseconds: number,
): EngineDescription {
  return {
    ...describeModel(model),
    model: hubNameOf(spec.folder)?.name ?? basename(spec.folder),
    engine: "onnxruntime",
    architecture: settings.architecture,
    dtype,
    recommendedSampling: settings.recommendedSampling,
    cache: plan.cache.value,
    prefixReuse: plan.prefixReuse.value,
    reasons: {
      cache: plan.cache.because,
      prefixReuse: plan.prefixReuse.because,
      maxBatch: plan.maxBatch.because,
      promptPieces: plan.pieces.because,
      ...threading.because,
    },
    executionProvider: spec.executionProvider,
    threads: threading.threads,
    spinning: threading.threads > 1 && threading.spinMicroseconds > 0,
    spinMicroseconds: threading.spinMicroseconds,
    stepWeights,
    loadMilliseconds,
  };
}

type ModelDescription = Pick<
  EngineDescription,
  "vocabularySize" | "contextLength" | "eosTokenIds" | "chatTemplate" | "maxBatch"
>;

function describeModel(model: Model): ModelDescription {
  const { vocabularySize, contextLength, eosTokenIds, encodeChat, maxBatch } = model;
  return {
    vocabularySize,
    contextLength,
    eosTokenIds: [...eosTokenIds],
    chatTemplate: encodeChat !== undefined,
    maxBatch,
  };
}
