import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { graphFileName, modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { readGraphSummary } from "../onnx/graph-summary.js";
import {
  acceptsDeltaCache,
  deltaCachePatch,
  lastLogitsOutput,
  newRowsOutput,
} from "../onnx/patch.js";
import { createDetokenizer } from "../text/detokenizer.js";
import { loadTokenizer } from "../text/tokenizer.js";
import type { LoadProgress } from "./engine.js";
import { isFloatType, widenFloats } from "./float-tensor.js";
import { KeptCache, mostPrefixReuse, type PrefixReuse } from "./kept-cache.js";
import { createFetchedCache, createDeltaCache, type CacheEntry } from "./key-value-cache.js";
import type { Model, Sequence, TextAssembler } from "./model.js";
import { readModelSettings, type ModelSettings } from "./model-settings.js";
import {
  findOperatorProfile,
  profilingOptions,
  type ProfilingOptions,
} from "./operator-profile.js";
import { createSampler, type Sampler } from "./sampling/sampler.js";

/** How a model folder is to be opened. */
export interface OnnxModelOptions {
  readonly folder: string;
  /** Which of the folder's graphs; undefined: the one its `config.json` names, or else fp32. */
  readonly dtype: ModelDtype | undefined;
  /** onnxruntime's name for where operators run; those it has not run on the CPU. */
  readonly executionProvider: string;
  /** Threads of one run, the calling one included. */
  readonly threads: number;
  /** Whether those threads burn their core between runs to start faster. */
  readonly spinning: boolean;
  /** Whether a sequence goes on from what it has in common with the one before. */
  readonly prefixReuse: boolean;
  /** Absolute path prefix of the file in which onnxruntime writes the times of its operators. */
  readonly operatorProfile: string | undefined;
}

export interface OpenOnnxModel {
  readonly model: Model;
  readonly settings: ModelSettings;
  readonly dtype: ModelDtype;
  readonly cache: "delta" | "fetched";
  readonly prefixReuse: PrefixReuse;
  /** The file of the operator profile, which is empty until the model is closed. */
  readonly operatorProfile: string | undefined;
}

/**
 * Opens a folder in the Hugging Face layout: `config.json`, `onnx/model….onnx`
 * and, if present, its external data, `tokenizer.json` and `generation_config.json`. Without a
 * tokenizer the model takes token ids, and its tokens have no text.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `MODEL_UNSUPPORTED`,
 *   and `INVALID_OPTION` when the operator profile cannot be written
 */
export async function openOnnxModel(
  options: OnnxModelOptions,
  onProgress: (progress: LoadProgress) => void,
): Promise<OpenOnnxModel> {
  const { folder, executionProvider, threads, spinning, operatorProfile } = options;
  if (!existsSync(folder)) {
    throw new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `There is no model folder at ${folder}. Give the path of a folder that holds config.json, ` +
        `onnx/model.onnx and, to work with text, tokenizer.json.`,
    );
  }
  onProgress({ stage: "reading" });
  const settings = await readModelSettings(folder);
  const hasTokenizer = existsSync(join(folder, "tokenizer.json"));
  const tokenizer = hasTokenizer ? await loadTokenizer(folder) : undefined;
  const dtype = options.dtype ?? settings.dtype ?? "fp32";
  const graphFile = join(folder, "onnx", graphFileName(dtype));
  const graph = await readGraph(graphFile, folder);
  onProgress({ stage: "preparing" });
  const summary = readGraphSummary(graph, graphFile);
  const cache = acceptsDeltaCache(summary) ? "delta" : "fetched";
  const layers = summary.outputs.filter((name) => /^present\.\d+\.key$/.test(name)).length;
  // Concatenated protobuf messages merge: this adds outputs to the graph.
  const bytes = cache === "delta" ? Buffer.concat([graph, deltaCachePatch({ layers })]) : graph;
  const profiling = operatorProfile === undefined ? undefined : profilingOptions(operatorProfile);
  const session = await createSession(bytes, graphFile, {
    executionProvider,
    threads,
    spinning,
    profiling,
  });
  const profileFile = profiling && (await findOperatorProfile(profiling));
  const entries = readCacheEntries(session, graphFile);
  if (tokenizer !== undefined) {
    checkTokenizer(tokenizer.vocabularySize, settings.vocabularySize, folder);
  }

  const run: GraphRun = {
    session,
    logitsOutput: cache === "delta" ? lastLogitsOutput : "logits",
    takesPositions: session.inputNames.includes("position_ids"),
    onesMask: new BigInt64Array(settings.contextLength).fill(1n),
  };
  const prefixReuse = options.prefixReuse ? mostPrefixReuse(summary.operators, entries) : "off";
  const createCache = (): KeptCache =>
    new KeptCache(
      (cache === "delta" ? createDeltaCache : createFetchedCache)(entries),
      prefixReuse,
    );
  let kept: KeptCache | undefined;
  return {
    settings,
    dtype,
    cache,
    prefixReuse,
    operatorProfile: profileFile,
    model: {
      contextLength: settings.contextLength,
      vocabularySize: settings.vocabularySize,
      eosTokenIds: settings.eosTokenIds,
      encode: tokenizer && ((text) => tokenizer.encode(text)),
      createDetokenizer: () => (tokenizer ? createDetokenizer(tokenizer) : idsOnly),
      begin(config, promptIds) {
        const { eosTokenIds } = settings;
        const sample = createSampler(config, { promptIds, eosTokenIds });
        const current = kept ?? createCache();
        if (prefixReuse !== "off") kept = current;
        return beginSequence(run, current, current.begin(promptIds), sample);
      },
      forget() {
        kept = undefined;
      },
      async close() {
        // Releasing writes the file too; this does not depend on when it happens.
        if (profiling !== undefined) session.endProfiling();
        await session.release();
      },
    },
  };
}

/** The text of a model without a tokenizer, as those with random weights are. */
const idsOnly: TextAssembler = { push: () => "", flush: () => "" };

interface GraphRun {
  readonly session: InferenceSession;
  readonly logitsOutput: string;
  readonly takesPositions: boolean;
  /** As many ones as the context is long, to take attention masks from. */
  readonly onesMask: BigInt64Array;
}

function beginSequence(
  run: GraphRun,
  kept: KeptCache,
  cachedTokens: number,
  sample: Sampler,
): Sequence {
  const { cache } = kept;
  const outputs = [run.logitsOutput, ...cache.outputs];
  let logits: Float32Array = new Float32Array(0);
  return {
    cachedTokens,
    async advance(ids) {
      const total = cache.length + ids.length;
      const feeds: Record<string, Tensor> = {
        ...cache.feed(ids.length),
        input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
        attention_mask: new Tensor("int64", run.onesMask.subarray(0, total), [1, total]),
      };
      if (run.takesPositions) {
        const positions = BigInt64Array.from(ids, (_, index) => BigInt(cache.length + index));
        feeds["position_ids"] = new Tensor("int64", positions, [1, ids.length]);
      }
      let results: InferenceSession.OnnxValueMapType;
      try {
        results = await run.session.run(feeds, outputs);
      } catch (cause) {
        throw new StreamgaugeError(
          "ENGINE_FAILED",
          `onnxruntime failed while running positions ${cache.length} to ${total - 1}: ${messageOf(cause)}`,
          { cause },
        );
      }
      // Rows for every position, or for the last alone: the last is what counts.
      const output = results[run.logitsOutput] as Tensor;
      logits = widenFloats(output, output.size - (output.dims.at(-1) ?? 0));
      kept.accept(ids, results);
    },
    choose: () => sample(logits),
  };
}

async function readGraph(file: string, folder: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const others = modelDtypes.filter((dtype) =>
      existsSync(join(folder, "onnx", graphFileName(dtype))),
    );
    const remedy =
      others.length === 0
        ? "The folder needs the model's graph there: build it, or copy it whole."
        : `The folder has the model as ${others.join(", ")}: choose one by the option dtype.`;
    throw new StreamgaugeError("MODEL_NOT_FOUND", `Cannot read ${file}. ${remedy}`, { cause });
  }
}

async function createSession(
  graph: Uint8Array,
  file: string,
  options: Pick<OnnxModelOptions, "executionProvider" | "threads" | "spinning"> & {
    readonly profiling: ProfilingOptions | undefined;
  },
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(graph, {
      ...options.profiling,
      executionProviders: [options.executionProvider],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      // Warnings about graph optimisations are no use to callers; errors are thrown.
      logSeverityLevel: 3,
      extra: {
        session: {
          intra_op: { allow_spinning: options.spinning ? "1" : "0" },
          // A graph handed over as bytes does not say where its external data lie.
          model_external_initializers_file_folder_path: dirname(file),
        },
      },
    });
  } catch (cause) {
    if (options.executionProvider !== "cpu") {
      throw new StreamgaugeError(
        "MODEL_UNSUPPORTED",
        `onnxruntime cannot load ${file} with the execution provider ` +
          `"${options.executionProvider}": ${messageOf(cause)} This machine may lack what it ` +
          `needs: try "cpu".`,
        { cause },
      );
    }
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `onnxruntime cannot load ${file}: ${messageOf(cause)} Build or copy the model again.`,
      { cause },
    );
  }
}

const knownInputs = new Set(["input_ids", "attention_mask", "position_ids"]);

/** Reads the cache's names and shapes from the graph, and refuses a graph we cannot feed. */
function readCacheEntries(session: InferenceSession, file: string): CacheEntry[] {
  const entries: CacheEntry[] = [];
  const strange: string[] = [];
  for (const input of session.inputMetadata) {
    const [, layer, part] = /^past_key_values\.(\d+)\.(key|value)$/.exec(input.name) ?? [];
    if (layer !== undefined && input.isTensor && isFloatType(input.type)) {
      const { type } = input;
      const [, heads, , headSize] = input.shape;
      if (typeof heads === "number" && typeof headSize === "number") {
        const present = `present.${layer}.${part}`;
        const added = newRowsOutput(Number(layer), part === "key" ? "key" : "value");
        entries.push({ past: input.name, present, added, type, heads, headSize });
        continue;
      }
    }
    if (!knownInputs.has(input.name)) strange.push(input.name);
  }
  const missing = [
    ...["input_ids", "attention_mask"].filter((name) => !session.inputNames.includes(name)),
    ...["logits", ...entries.map(({ present }) => present)].filter(
      (name) => !session.outputNames.includes(name),
    ),
  ];
  if (entries.length === 0) missing.push("past_key_values.N.key (float32 or float16) and .value");
  if (strange.length + missing.length === 0) return entries;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file} is not a decoder this runtime can feed.` +
      (missing.length > 0 ? ` Missing: ${missing.join(", ")}.` : "") +
      (strange.length > 0 ? ` Unknown inputs: ${strange.join(", ")}.` : "") +
      ` Use a text-generation export with a float32 or float16 key/value cache.`,
  );
}

function checkTokenizer(tokenizerSize: number, modelSize: number, folder: string): void {
  // A model's table may be padded beyond the tokenizer; the other way round ids have no row.
  if (tokenizerSize <= modelSize) return;
  throw new StreamgaugeError(
    "MODEL_CORRUPT",
    `The tokenizer in ${folder} has ${tokenizerSize} ids and the model only ${modelSize}: ` +
      `take both from the same checkpoint.`,
  );
}
