import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { readGraphSummary, type GraphSummary } from "../onnx/graph-summary.js";
import type { ModelDtype } from "../onnx/model-dtype.js";
import {
  canRunInPlace,
  endOutput,
  inPlacePatch,
  largestLogitsOutput,
  lastLogitsOutput,
  lastPositionsInput,
  runInPlace,
} from "../onnx/in-place.js";
import { hasLogitsOfAll, narrowLogits } from "../onnx/narrow-logits.js";
import { withdrawOutputs } from "../onnx/withdraw-outputs.js";
import { createDetokenizer } from "../text/detokenizer.js";
import type { LoadProgress } from "./engine.js";
import { createFloats, floatTensor, isFloatType, widenFloats } from "./float-tensor.js";
import { standardNames, type GraphNames } from "./graph-names.js";
import { KeptCache, mostPrefixReuse, type PrefixReuse, type Seat } from "./kept-cache.js";
import {
  createFetchedCache,
  createInPlaceCache,
  type CacheEntry,
  type KeyValueCache,
} from "./key-value-cache.js";
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
  readonly cache: "in-place" | "fetched";
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
  const isInPlace = !hasBranches && canRunInPlace(summary);
  const outputs = summary.outputs.map((name) => names.own(name));
  const patched = isInPlace ? patchInPlace(graph, summary, names) : undefined;
  const profiling = operatorProfile === undefined ? undefined : profilingOptions(operatorProfile);
  const session = await createSession(patched?.graph ?? graph, graphFile, {
    executionProvider,
    threads,
    spinning,
    profiling,
  });
  const profileFile = profiling && (await findOperatorProfile(profiling));
  const entries = readCacheEntries(session, graphFile, names, outputs);

  const most = mostPrefixReuse(summary.operators, entries);
  // The branch for an empty cache takes the whole prompt.
  const prefixReuse = options.prefixReuse && !hasBranches ? most : "off";
  const maxBatch = chooseMaxBatch(options.maxBatch, isInPlace && most !== "off");
  const way = patched
    ? openInPlace(session, entries, settings.vocabularySize, patched.mostPositions)
    : openFetched(session, entries, names.own(standardNames.logits));
  const run: GraphRun = {
    execute: way.execute,
    turns: 0,
    idsInput: names.own(standardNames.inputIds),
    maskInput: names.own(standardNames.attentionMask),
    positionsInput: summary.inputs.includes(standardNames.positionIds)
      ? names.own(standardNames.positionIds)
      : undefined,
    hasBranches,
    joinsPrompts: isInPlace && hasLogitsOfAll(summary),
    // A graph that computes as many positions' logits as it is told needs only the last.
    constants: summary.inputs.includes(standardNames.logitsCount)
      ? { [standardNames.logitsCount]: new Tensor("int64", BigInt64Array.of(1n), []) }
      : {},
    onesMask: new BigInt64Array(settings.contextLength).fill(1n),
  };
  const kept = new KeptCache(way.cache, prefixReuse);
  const batcher = new StepBatcher<RunningSequence>((advances) => runAll(run, kept, advances));
  return {
    settings,
    dtype,
    cache: isInPlace ? "in-place" : "fetched",
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
        const { eosTokenIds, contextLength } = settings;
        const sample = createSampler(config, { promptIds, eosTokenIds });
        const expectedTokens = Math.min(config.maxTokens, mostExpectedTokens);
        const expectedRows = Math.min(promptIds.length + expectedTokens, contextLength);
        return beginSequence(run, kept, batcher, kept.begin(promptIds, expectedRows), sample);
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

/** Tokens of a completion that the cache has room for before it is known how many they become. */
const mostExpectedTokens = 256;

interface GraphRun {
  /**
   * Runs the graph over `count` places of the cache from `first` on.
   *
   * @param ids how many each of them is fed, of which some may be less than what is run
   * @returns the logits of all, [count, …, vocabulary], in memory that the next run over
   *   these places may use again, and the largest of each, where the graph says it; for
   *   some of the positions, of which the last one is each one's last
   */
  readonly execute: (
    feeds: Readonly<Record<string, Tensor>>,
    first: number,
    ids: readonly number[],
  ) => Promise<{ readonly logits: Tensor; readonly largest: Float32Array | undefined }>;
  /** Steps, or pieces of prompts, that have been run at one time. */
  turns: number;
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
  /** Of the last position that was run, until the next turn of any sequence. */
  logits: Float32Array;
  /** Of the logits, where the graph says it. */
  largestLogit: number | undefined;
  /** The turn that they are of. */
  turn: number;
}

function beginSequence(
  run: GraphRun,
  kept: KeptCache,
  batcher: StepBatcher<RunningSequence>,
  seat: Seat,
  sample: Sampler,
): Sequence {
  const sequence: RunningSequence = {
    seat,
    logits: new Float32Array(0),
    largestLogit: undefined,
    turn: 0,
  };
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
    choose() {
      if (sequence.turn === run.turns) return sample(sequence.logits, sequence.largestLogit);
      throw new RangeError("The sequence's logits are gone: others have been run since.");
    },
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
  run.turns += 1;
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
  const rooms = kept.rooms;
  for (const { member, ids } of advances) {
    const { place } = member.seat;
    rooms[place] = Math.max(rooms[place] ?? 0, cache.lengthOf(place) + ids.length);
  }
  cache.makeRoom(first, count, rooms);

  // Where nobody takes part, one row more than there are: it is not taken into the cache.
  const lengths = Array.from({ length: count }, (_, index) => cache.lengthOf(first + index) + 1);
  const idCounts = Array.from({ length: count }, () => 1);
  const ids = new BigInt64Array(count * length);
  const positions = new BigInt64Array(count * length);
  for (const { member, ids: own } of advances) {
    const { place } = member.seat;
    lengths[place - first] = cache.lengthOf(place) + own.length;
    idCounts[place - first] = own.length;
    const from = (place - first) * length;
    for (const [index, id] of own.entries()) {
      ids[from + index] = BigInt(id);
      positions[from + index] = BigInt(cache.lengthOf(place) + index);
    }
  }
  const feeds: Record<string, Tensor> = {
    ...run.constants,
    [run.idsInput]: new Tensor("int64", ids, [count, length]),
    [run.maskInput]: maskOf(run, lengths),
  };
  if (run.positionsInput !== undefined) {
    feeds[run.positionsInput] = new Tensor("int64", positions, [count, length]);
  }
  if (run.hasBranches) {
    const readsCache = Uint8Array.of(cache.lengthOf(first) > 0 ? 1 : 0);
    feeds[standardNames.cacheBranch] = new Tensor("bool", readsCache, [1]);
  }
  let output: Awaited<ReturnType<GraphRun["execute"]>>;
  try {
    output = await run.execute(feeds, first, idCounts);
  } catch (cause) {
    const total = Math.max(...lengths);
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `onnxruntime failed while running ${length === 1 ? "a position" : `${length} positions`} ` +
        `up to ${total - 1}: ${messageOf(cause)}`,
      { cause },
    );
  }
  // Rows for some positions or all: the last is what counts.
  const vocabulary = output.logits.dims.at(-1) ?? 0;
  const rowLength = output.logits.size / count;
  const logits = widenFloats(output.logits, rowLength - vocabulary);
  for (const { member, ids: own } of advances) {
    const index = member.seat.place - first;
    member.logits = logits.subarray(index * rowLength, index * rowLength + vocabulary);
    member.largestLogit = output.largest?.at((index + 1) * (output.largest.length / count) - 1);
    member.turn = run.turns;
    kept.accept(member.seat, own);
  }
}

/** For each length a row with as many ones, then zeros. */
function maskOf({ onesMask }: GraphRun, lengths: readonly number[]): Tensor {
  const count = lengths.length;
  const total = Math.max(...lengths);
  if (count === 1) return new Tensor("int64", onesMask.subarray(0, total), [1, total]);
  const mask = new BigInt64Array(count * total);
  for (const [index, ones] of lengths.entries()) {
    mask.fill(1n, index * total, index * total + ones);
  }
  return new Tensor("int64", mask, [count, total]);
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
  const shapes = new Map(
    [...summary.shapes].map(([own, shape]) => [names.standard(own) ?? own, shape]),
  );
  const producers = new Map(
    [...summary.producers].map(([own, operator]) => [names.standard(own) ?? own, operator]),
  );
  const { inputs, outputs } = summary;
  return {
    ...summary,
    inputs: standard(inputs),
    shapes,
    outputs: standard(outputs),
    producers,
  };
}

/**
 * The graph with the outputs of one that runs in place, and how many positions it computes
 * logits of at once. Concatenated protobuf messages merge.
 */
function patchInPlace(
  graph: Uint8Array,
  summary: GraphSummary,
  names: GraphNames,
): { readonly graph: Buffer; readonly mostPositions: 1 | 2 } {
  const logits = names.own(standardNames.logits);
  const { outputs, operatorSets } = summary;
  const presents = outputs
    .filter((name) => name.startsWith("present."))
    .map((name) => names.own(name));
  const changed = Buffer.from(graph);
  const narrowed = hasLogitsOfAll(summary) ? narrowLogits(changed, logits) : undefined;
  withdrawOutputs(
    changed,
    outputs.map((name) => names.own(name)),
  );
  const operatorSet = operatorSets.get("") ?? 0;
  const patch = inPlacePatch({ logits, presents, operatorSet, narrowed });
  return {
    graph: Buffer.concat([changed, patch]),
    // Kernels for one position round in their own way, and a prompt's logits are not to depend on
    // how many of them are computed.
    mostPositions: narrowed === undefined ? 1 : 2,
  };
}

/** How a graph is run, and the cache that goes with it. */
interface WayToRun {
  readonly cache: KeyValueCache;
  readonly execute: GraphRun["execute"];
}

/** For a graph that {@link patchInPlace} has made. */
function openInPlace(
  session: InferenceSession,
  entries: readonly CacheEntry[],
  vocabularySize: number,
  mostPositions: number,
): WayToRun {
  const cache = createInPlaceCache(entries);
  const logitsOutput = lastLogitsOutput(session);
  const output = session.outputMetadata.find(({ name }) => name === logitsOutput);
  const { type: logitsType, shape } = output?.isTensor === true ? output : { type: "", shape: [] };
  const type = isFloatType(logitsType) ? logitsType : "float32";
  const width = shape.at(-1);
  const vocabulary = typeof width === "number" ? width : vocabularySize;
  let places = 0;
  let logitsRoom = createFloats(type, 0);
  let largestRoom = createFloats(type, 0);
  return {
    cache,
    async execute(feeds, first, ids) {
      const count = ids.length;
      if (first + count > places) {
        places = first + count;
        logitsRoom = createFloats(type, places * mostPositions * vocabulary);
        largestRoom = createFloats(type, places * mostPositions);
        // Not numbers, so that it is noticed if onnxruntime does not write here.
        for (const room of [logitsRoom, largestRoom]) {
          room.fill(type === "float16" ? 0x7e00 : Number.NaN);
        }
      }
      const positions = lastPositions(ids, mostPositions);
      const kept = positions.length / count;
      const from = first * mostPositions;
      const rows = logitsRoom.subarray(from * vocabulary, (from + count * kept) * vocabulary);
      const logits = floatTensor(type, rows, [count, kept, vocabulary]);
      const largestRows = largestRoom.subarray(from, from + count * kept);
      const largest = floatTensor(type, largestRows, [count, kept]);
      const tensors = cache.tensors(first, count);
      await runInPlace(
        session,
        Object.assign(tensors.feeds, feeds, {
          [lastPositionsInput]: new Tensor("int64", positions, [count, kept, 1]),
        }),
        Object.assign(tensors.fetches, {
          [endOutput]: null,
          [logitsOutput]: logits,
          [largestLogitsOutput]: largest,
        }),
      );
      return { logits, largest: widenFloats(largest, 0) };
    },
  };
}

/**
 * The last positions of rows that have so many ids of a run, from its end on; the longest
 * has all. As many of each as are wanted, and as the run has.
 */
function lastPositions(ids: readonly number[], most: number): BigInt64Array {
  const length = Math.max(...ids);
  const kept = Math.min(most, length);
  return BigInt64Array.from(
    ids.flatMap((count) =>
      Array.from({ length: kept }, (_, index) => Math.max(0, count - kept + index) - length),
    ),
    BigInt,
  );
}

/** For any graph. */
function openFetched(
  session: InferenceSession,
  entries: readonly CacheEntry[],
  logitsOutput: string,
): WayToRun {
  const cache = createFetchedCache(entries);
  return {
    cache,
    async execute(feeds) {
      const outputs = [logitsOutput, ...cache.outputs];
      const results = await session.run({ ...feeds, ...cache.feeds }, outputs);
      cache.take(results);
      return { logits: results[logitsOutput] as Tensor, largest: undefined };
    },
  };
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
        entries.push({ past: input.name, present, type, heads, headSize });
        continue;
      }
    }
    if (!knownInputs.has(standard) && input.name !== lastPositionsInput) strange.push(input.name);
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
