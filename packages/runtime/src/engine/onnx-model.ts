import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { aliasPatch } from "../onnx/alias-patch.js";
import { readGraphSummary, type GraphSummary } from "../onnx/graph-summary.js";
import type { ModelDtype } from "../onnx/model-dtype.js";
import { deltaCachePatch, deltaCacheShape, lastLogitsOutput, newRowsHead } from "../onnx/patch.js";
import { withdrawOutputs } from "../onnx/withdraw-outputs.js";
import { createDetokenizer } from "../text/detokenizer.js";
import type { LoadProgress } from "./engine.js";
import { isFloatType, widenFloats } from "./float-tensor.js";
import { standardNames, type GraphNames } from "./graph-names.js";
import { KeptCache, mostPrefixReuse, type PrefixReuse, type Seat } from "./kept-cache.js";
import { createFetchedCache, createDeltaCache, type CacheEntry } from "./key-value-cache.js";
import type { Model, Sequence, TextAssembler } from "./model.js";
import { readModelFolder } from "./model-folder.js";
import type { ModelSettings } from "./model-settings.js";
import {
  findOperatorProfile,
  profilingOptions,
  type ProfilingOptions,
} from "./operator-profile.js";
import { createSampler, type Sampler } from "./sampling/sampler.js";
import { StepBatcher, mostPromptIds, mostSharedPromptIds, type Advance } from "./step-batcher.js";

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
  /**
   * Most sequences that one run steps together; undefined: as many as usual where
   * that changes no ids, else one.
   */
  readonly maxBatch: number | undefined;
  /** Absolute path prefix of the file in which onnxruntime writes the times of its operators. */
  readonly operatorProfile: string | undefined;
}

export interface OpenOnnxModel {
  readonly model: Model;
  readonly settings: ModelSettings;
  readonly dtype: ModelDtype | "unknown";
  readonly cache: "delta" | "fetched";
  readonly prefixReuse: PrefixReuse;
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
  const { folder, executionProvider, threads, spinning, operatorProfile } = options;
  onProgress({ stage: "reading" });
  const { settings, dtype, graph, graphFile, names, tokenizer, chatTemplate } =
    await readModelFolder(folder, options.dtype);
  onProgress({ stage: "preparing" });
  const summary = withStandardNames(readGraphSummary(graph, graphFile), names);
  const hasBranches = summary.inputs.includes(standardNames.cacheBranch);
  const shape = hasBranches ? undefined : deltaCacheShape(summary);
  const cache = shape === undefined ? "fetched" : "delta";
  const outputs = summary.outputs.map((name) => names.own(name));
  // Concatenated protobuf messages merge: this adds outputs to the graph.
  const bytes =
    shape === undefined
      ? graph
      : Buffer.concat([graph, aliasPatch(aliasesOf(summary, names)), deltaCachePatch(shape)]);
  if (cache === "delta") {
    withdrawOutputs(
      bytes,
      summary.outputs.filter((name) => name.startsWith("present.")).map((name) => names.own(name)),
    );
  }
  const profiling = operatorProfile === undefined ? undefined : profilingOptions(operatorProfile);
  const session = await createSession(bytes, graphFile, {
    executionProvider,
    threads,
    spinning,
    profiling,
  });
  const profileFile = profiling && (await findOperatorProfile(profiling));
  const entries = readCacheEntries(session, graphFile, names, outputs);

  const run: GraphRun = {
    session,
    logitsOutput: cache === "delta" ? lastLogitsOutput : names.own(standardNames.logits),
    idsInput: names.own(standardNames.inputIds),
    maskInput: names.own(standardNames.attentionMask),
    positionsInput: summary.inputs.includes(standardNames.positionIds)
      ? names.own(standardNames.positionIds)
      : undefined,
    hasBranches,
    joinsPrompts: cache === "delta" && !summary.inputs.includes(standardNames.logitsCount),
    // A graph that computes as many positions' logits as it is told needs only the last.
    constants: summary.inputs.includes(standardNames.logitsCount)
      ? { [standardNames.logitsCount]: new Tensor("int64", BigInt64Array.of(1n), []) }
      : {},
    onesMask: new BigInt64Array(settings.contextLength).fill(1n),
  };
  const most = mostPrefixReuse(summary.operators, entries);
  // The branch for an empty cache takes the whole prompt.
  const prefixReuse = options.prefixReuse && !hasBranches ? most : "off";
  const maxBatch = chooseMaxBatch(options.maxBatch, cache === "delta" && most !== "off");
  const openCache = cache === "delta" ? createDeltaCache : createFetchedCache;
  const kept = new KeptCache(openCache(entries), prefixReuse);
  const batcher = new StepBatcher<RunningSequence>((advances) => runAll(run, kept, advances));
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
      encodeChat:
        tokenizer &&
        chatTemplate &&
        (async (messages) => {
          const text = await chatTemplate.render(messages);
          return tokenizer.encode(text, { addSpecialTokens: false });
        }),
      maxBatch,
      createDetokenizer: () => (tokenizer ? createDetokenizer(tokenizer) : idsOnly),
      begin(config, promptIds) {
        const { eosTokenIds } = settings;
        const sample = createSampler(config, { promptIds, eosTokenIds });
        return beginSequence(run, kept, batcher, kept.begin(promptIds), sample);
      },
      forget: () => kept.forget(),
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
  readonly idsInput: string;
  readonly maskInput: string;
  /** Undefined for a graph that finds the positions itself. */
  readonly positionsInput: string | undefined;
  /** Whether the graph has a branch for the first run and one that reads the cache. */
  readonly hasBranches: boolean;
  /** Whether prompts of several sequences can be run together: it has logits for every position. */
  readonly joinsPrompts: boolean;
  /** What each run is fed alike. */
  readonly constants: Readonly<Record<string, Tensor>>;
  /** As many ones as the context is long, to take attention masks from. */
  readonly onesMask: BigInt64Array;
}

/** Of a sequence, what a run needs and changes. */
interface RunningSequence {
  readonly seat: Seat;
  /** Of the last position that was run. */
  logits: Float32Array;
}

function beginSequence(
  run: GraphRun,
  kept: KeptCache,
  batcher: StepBatcher<RunningSequence>,
  seat: Seat,
  sample: Sampler,
): Sequence {
  const sequence: RunningSequence = { seat, logits: new Float32Array(0) };
  batcher.begin();
  return {
    cachedTokens: seat.cachedTokens,
    get mostIdsAtOnce() {
      if (run.hasBranches) return Infinity;
      return batcher.sequences > 1 ? mostSharedPromptIds : mostPromptIds;
    },
    advance(ids) {
      // GroupQueryAttention takes several ids each of several sequences only where they begin.
      const joins = run.joinsPrompts && kept.cache.lengthOf(seat.place) === 0;
      return batcher.advance(sequence, ids, joins);
    },
    choose: () => sample(sequence.logits),
    end() {
      kept.end(seat);
      batcher.end();
    },
  };
}

/** Steps together; pieces of prompts together where no other sequence's place is in between. */
async function runAll(
  run: GraphRun,
  kept: KeptCache,
  advances: readonly Advance<RunningSequence>[],
): Promise<void> {
  kept.gather(advances.map(({ member }) => member.seat));
  if (advances[0]?.ids.length === 1) return await runTogether(run, kept, advances);
  const placeOf = ({ member }: Advance<RunningSequence>): number => member.seat.place;
  const neighbours: Advance<RunningSequence>[][] = [];
  for (const advance of advances.toSorted((left, right) => placeOf(left) - placeOf(right))) {
    const before = neighbours.at(-1)?.at(-1);
    if (before !== undefined && placeOf(before) === placeOf(advance) - 1) {
      neighbours.at(-1)?.push(advance);
    } else neighbours.push([advance]);
  }
  for (const group of neighbours) await runTogether(run, kept, group);
}

/**
 * Runs ids of each sequence: one, or several where all begin. Their places and those
 * between them are the rows of the batch; a row that no sequence takes part in, and
 * the end of one with fewer ids, runs ids whose results nobody looks at.
 */
async function runTogether(
  run: GraphRun,
  kept: KeptCache,
  advances: readonly Advance<RunningSequence>[],
): Promise<void> {
  const { cache } = kept;
  const places = advances.map(({ member }) => member.seat.place);
  const first = Math.min(...places);
  const count = Math.max(...places) - first + 1;
  const length = Math.max(...advances.map(({ ids }) => ids.length));
  const lengths = kept.lengths;
  for (const { member, ids } of advances) {
    lengths[member.seat.place] = cache.lengthOf(member.seat.place) + ids.length;
  }
  const total = Math.max(...places.map((place) => lengths[place] ?? 0));

  const ids = new BigInt64Array(count * length);
  const positions = new BigInt64Array(count * length);
  for (const { member, ids: own } of advances) {
    const { place } = member.seat;
    const from = (place - first) * length;
    for (const [index, id] of own.entries()) {
      ids[from + index] = BigInt(id);
      positions[from + index] = BigInt(cache.lengthOf(place) + index);
    }
  }
  const feeds: Record<string, Tensor> = {
    ...run.constants,
    ...cache.feed(first, count, lengths),
    [run.idsInput]: new Tensor("int64", ids, [count, length]),
    [run.maskInput]: new Tensor("int64", maskOf(run, first, count, total, places, lengths), [
      count,
      total,
    ]),
  };
  if (run.positionsInput !== undefined) {
    feeds[run.positionsInput] = new Tensor("int64", positions, [count, length]);
  }
  if (run.hasBranches) {
    const readsCache = Uint8Array.of(cache.lengthOf(first) > 0 ? 1 : 0);
    feeds[standardNames.cacheBranch] = new Tensor("bool", readsCache, [1]);
  }
  let results: InferenceSession.OnnxValueMapType;
  try {
    results = await run.session.run(feeds, [run.logitsOutput, ...cache.outputs]);
  } catch (cause) {
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `onnxruntime failed while running ${length === 1 ? "a position" : `${length} positions`} ` +
        `up to ${total - 1}: ${messageOf(cause)}`,
      { cause },
    );
  }
  // Rows for every position, or for the last alone: the last is what counts.
  const output = results[run.logitsOutput] as Tensor;
  const vocabulary = output.dims.at(-1) ?? 0;
  const rowLength = output.size / count;
  const logits = widenFloats(output, rowLength - vocabulary);
  for (const { member, ids: own } of advances) {
    const index = member.seat.place - first;
    member.logits = logits.subarray(index * rowLength, index * rowLength + vocabulary);
    kept.accept(member.seat, index, own, results);
  }
}

/** A row of ones as long as each sequence, then zeros. */
function maskOf(
  { onesMask }: GraphRun,
  first: number,
  count: number,
  total: number,
  places: readonly number[],
  lengths: readonly (number | undefined)[],
): BigInt64Array {
  if (count === 1) return onesMask.subarray(0, total);
  const mask = new BigInt64Array(count * total);
  for (let index = 0; index < count; index++) {
    // Where nobody takes part, one: its key and value are not taken into the cache.
    const place = first + index;
    const ones = places.includes(place) ? (lengths[place] ?? 1) : 1;
    mask.fill(1n, index * total, index * total + ones);
  }
  return mask;
}

/** Sequences at once where nobody chooses. */
const defaultMaxBatch = 8;

/**
 * @param changesNoIds whether a sequence's ids are the same alone and among others
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` when more is asked for than this graph can do
 */
function chooseMaxBatch(asked: number | undefined, changesNoIds: boolean): number {
  if (asked === undefined) return changesNoIds ? defaultMaxBatch : 1;
  if (asked === 1 || changesNoIds) return asked;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `maxBatch is ${asked}, and this model cannot run several generations in one step without ` +
      "changing their ids: that takes GroupQueryAttention, and activations that are not quantised " +
      "by their range (DynamicQuantizeLinear). Leave maxBatch out, or take more workers.",
  );
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
          // A graph handed over as bytes does not say where its external data lie: its own file's too.
          model_external_initializers_file_folder_path: dirname(await realpath(file)),
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

const knownInputs: ReadonlySet<string> = new Set([
  standardNames.inputIds,
  standardNames.attentionMask,
  standardNames.positionIds,
  standardNames.cacheBranch,
  standardNames.logitsCount,
]);

/** The summary with Hugging Face's names, and without inputs and outputs that it has none for. */
function withStandardNames(summary: GraphSummary, names: GraphNames): GraphSummary {
  const standard = (own: readonly string[]): string[] =>
    own.map((name) => names.standard(name)).filter((name) => name !== undefined);
  const inputShapes = new Map(
    [...summary.inputShapes].map(([own, shape]) => [names.standard(own) ?? own, shape]),
  );
  const { inputs, outputs } = summary;
  return { ...summary, inputs: standard(inputs), inputShapes, outputs: standard(outputs) };
}

/** What the patch for the delta cache reads by its standard name, and the graph calls otherwise. */
function aliasesOf(
  { inputs, outputs }: GraphSummary,
  names: GraphNames,
): { readonly value: string; readonly alias: string }[] {
  return [...inputs, ...outputs]
    .filter((name) => /^(input_ids|attention_mask|logits|present\..*)$/.test(name))
    .map((alias) => ({ value: names.own(alias), alias }))
    .filter(({ value, alias }) => value !== alias);
}

/**
 * Reads the cache's names and shapes from the graph, and refuses a graph we cannot feed.
 *
 * @param outputs of the graph as its file has them
 */
function readCacheEntries(
  session: InferenceSession,
  file: string,
  names: GraphNames,
  outputs: readonly string[],
): CacheEntry[] {
  const entries: CacheEntry[] = [];
  const strange: string[] = [];
  for (const input of session.inputMetadata) {
    const standard = names.standard(input.name) ?? "";
    const [, layer, part] = /^past_key_values\.(\d+)\.(key|value)$/.exec(standard) ?? [];
    if (layer !== undefined && input.isTensor && isFloatType(input.type)) {
      const { type } = input;
      const [, heads, , headSize] = input.shape;
      if (typeof heads === "number" && typeof headSize === "number") {
        const present = names.own(`present.${layer}.${part}`);
        const addedHead = newRowsHead(heads, Number(layer), part === "key" ? "key" : "value");
        entries.push({ past: input.name, present, addedHead, type, heads, headSize });
        continue;
      }
    }
    if (!knownInputs.has(standard)) strange.push(input.name);
  }
  const missing = [
    ...[standardNames.inputIds, standardNames.attentionMask]
      .map((name) => names.own(name))
      .filter((name) => !session.inputNames.includes(name)),
    ...[names.own(standardNames.logits), ...entries.map(({ present }) => present)].filter(
      (name) => !outputs.includes(name),
    ),
  ];
  if (entries.length === 0) {
    const past = names.own("past_key_values.0.key");
    missing.push(`a cache such as ${past} (float32 or float16)`);
  }
  if (strange.length + missing.length === 0) return entries;
  throw new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file} is not a decoder this runtime can feed.` +
      (missing.length > 0 ? ` Missing: ${missing.join(", ")}.` : "") +
      (strange.length > 0 ? ` Unknown inputs: ${strange.join(", ")}.` : "") +
      ` Use a text-generation export with a float32 or float16 key/value cache.`,
  );
}
