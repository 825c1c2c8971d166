import { readGraphSummary } from "../onnx/graph-summary.js";
import type { ModelDtype } from "../onnx/model-dtype.js";
import { readStepWeights, type StepWeights } from "../onnx/step-weights.js";
import { encodeChat } from "../text/chat-template.js";
import { createDetokenizer } from "../text/detokenizer.js";
import { chooseThreads, type ThreadChoice, type ThreadRequest } from "../threads/choose-threads.js";
import { BatchDecoder } from "./batch-decoder.js";
import { whyNotTogether } from "./batch-probe.js";
import { createFullContext, type FullContext } from "./full-context.js";
import { planGraph, refuseBatch, type GraphPlan } from "./graph-plan.js";
import { readGraphPorts } from "./graph-ports.js";
import type { LoadProgress } from "./load-progress.js";
import type { Model, TextAssembler } from "./model.js";
import { readModelFolder } from "./model-folder.js";
import type { ModelSettings } from "./model-settings.js";
import { createSession } from "./onnx-session.js";
import { findOperatorProfile, profilingOptions } from "./operator-profile.js";
import { runFetched } from "./run-fetched.js";
import { patchInPlace, runWayInPlace } from "./run-in-place.js";
import { createSampler } from "./sampling/sampler.js";
import { tryStates } from "./state-probe.js";
import { warmUp } from "./warm-up.js";
import type { WayToRun } from "./way-to-run.js";

/** How a model folder is to be opened. */
export interface OnnxModelOptions extends ThreadRequest {
  readonly folder: string;
  /** Which of the folder's graphs; undefined: the one its `config.json` names, or else fp32. */
  readonly dtype: ModelDtype | undefined;
  /** Whether a sequence goes on from what it has in common with the one before. */
  readonly prefixReuse: boolean;
  /**
   * Most sequences that one run steps together; undefined: as many as usual where
   * that changes no ids, else one.
   */
  readonly maxBatch: number | undefined;
  /** Absolute path prefix of the file in which onnxruntime writes the times of its operators. */
  readonly operatorProfile: string | undefined;
  /** See {@link planGraph}; for tests. */
  readonly forceInPlace?: boolean;
}

export interface OpenOnnxModel {
  readonly model: Model;
  readonly settings: ModelSettings;
  readonly dtype: ModelDtype | "unknown";
  readonly plan: GraphPlan;
  readonly threading: ThreadChoice;
  /** Undefined where the graph does not show its matrices. */
  readonly stepWeights: StepWeights | undefined;
  /** Runs the session of the model without a cache. */
  readonly fullContext: FullContext;
  /** The file of the operator profile, which is empty until the model is closed. */
  readonly operatorProfile: string | undefined;
}

/**
 * Opens a folder that {@link readModelFolder} can read. Without a tokenizer the
 * model takes token ids, and its tokens have no text.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_UNSUPPORTED`,
 *   and `INVALID_OPTION` when the operator profile cannot be written
 */
export async function openOnnxModel(
  options: OnnxModelOptions,
  onProgress: (progress: LoadProgress) => void,
): Promise<OpenOnnxModel> {
  onProgress({ stage: "reading" });
  const { folder, operatorProfile } = options;
  const { settings, dtype, graph, graphFile, names, tokenizer, chatTemplate } =
    await readModelFolder(folder, options.dtype);
  const { contextLength, vocabularySize, eosTokenIds } = settings;

  onProgress({ stage: "preparing" });
  const summary = readGraphSummary(graph, graphFile);
  const ports = readGraphPorts(summary, names, settings.cacheSizes, graphFile);
  const planned = planGraph(summary, ports, options, graphFile);
  const isInPlace = planned.cache.value === "in-place";
  const patched = isInPlace ? patchInPlace(graph, summary, ports) : undefined;
  const profiling = operatorProfile === undefined ? undefined : profilingOptions(operatorProfile);
  const stepWeights = readStepWeights(graph, summary);
  const threading = await chooseThreads(options, { graph, file: graphFile, summary }, stepWeights);
  const session = await createSession(patched?.graph ?? graph, graphFile, {
    executionProvider: options.executionProvider,
    threads: threading.threads,
    spinMicroseconds: threading.spinMicroseconds,
    profiling,
  });
  const way: WayToRun = patched
    ? runWayInPlace(session, {
        ...patched,
        ports,
        vocabularySize,
        leastCapacity: planned.leastCapacity,
      })
    : runFetched(session, ports);

  onProgress({ stage: "warming up" });
  try {
    const fullContext = createFullContext(session, ports, way, planned.leastCapacity);
    const tried = await tryStates({ way, ports, plan: planned, fullContext, settings, graphFile });
    const decoder = new BatchDecoder(way, ports, tried);
    const plan = await tryBatch(decoder, tried, options, settings);
    const model: Model = {
      contextLength,
      vocabularySize,
      eosTokenIds,
      encode:
        tokenizer &&
        ((text, isPlain = false) => tokenizer.encode(text, isPlain ? { plain: "all" } : {})),
      encodeChat:
        tokenizer &&
        chatTemplate &&
        ((messages, isPlain) => encodeChat(chatTemplate, tokenizer, messages, isPlain)),
      maxBatch: plan.maxBatch.value,
      createDetokenizer: () => (tokenizer ? createDetokenizer(tokenizer) : idsOnly),
      begin(config, promptIds) {
        const expectedTokens = Math.min(config.maxTokens, mostExpectedTokens);
        const expectedRows = Math.min(promptIds.length + expectedTokens, contextLength);
        const sample = createSampler(config, { promptIds, eosTokenIds });
        return decoder.begin(promptIds, expectedRows, sample);
      },
      forget: () => decoder.forget(),
      async close() {
        // Releasing writes the file too; this does not depend on when it happens.
        if (profiling !== undefined) session.endProfiling();
        await session.release();
      },
    };
    await warmUp(model, folder);
    const operatorProfileFile = profiling && (await findOperatorProfile(profiling));
    return {
      model,
      settings,
      dtype,
      plan,
      threading,
      stepWeights,
      fullContext,
      operatorProfile: operatorProfileFile,
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** The text of a model without a tokenizer, as those with random weights are. */
const idsOnly: TextAssembler = { push: () => "", flush: () => "" };

/** Tokens of a completion that the cache has room for before it is known how many they become. */
const mostExpectedTokens = 256;

/** The plan, with one sequence at a time where two do not go together. */
async function tryBatch(
  decoder: BatchDecoder,
  plan: GraphPlan,
  { maxBatch: asked }: OnnxModelOptions,
  { vocabularySize, contextLength }: ModelSettings,
): Promise<GraphPlan> {
  if (plan.maxBatch.value === 1) return plan;
  const obstacle = await whyNotTogether(decoder, vocabularySize, contextLength);
  if (obstacle === undefined) return plan;
  if (asked !== undefined) throw refuseBatch(asked, obstacle);
  return { ...plan, maxBatch: { value: 1, because: obstacle } };
}
