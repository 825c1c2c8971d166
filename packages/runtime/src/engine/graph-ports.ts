import { StreamgaugeError } from "@streamgauge/core";
import { elementName, type GraphSummary } from "../onnx/graph-summary.js";
import type { CacheEntry } from "./cache-entry.js";
import { isFloatType } from "./float-tensor.js";
import { standardNames, type GraphNames } from "./graph-names.js";
import type { CacheSizes } from "./model-settings.js";
import { presentOfState, readStateEntry, type StateEntry } from "./state-entry.js";

/** What a decoder's graph is fed and returns, by its own names. */
export interface GraphPorts {
  readonly ids: string;
  readonly mask: string;
  /** Undefined for a graph that finds the positions itself. */
  readonly positions: string | undefined;
  /** Whether to read the cache, of graphs with a branch for the first run and one behind it. */
  readonly branch: string | undefined;
  /** The number of positions whose logits are wanted; undefined for a graph that has no such input. */
  readonly logitsCount: string | undefined;
  readonly logits: string;
  readonly entries: readonly CacheEntry[];
  /** Of layers that keep something of a fixed size instead of a cache. */
  readonly states: readonly StateEntry[];
  /** Sequences of a run, where the graph says how many they have to be. */
  readonly batch: number | undefined;
}

/** What stands in place of a cache, or beside it, by the words in the inputs' names. */
const otherDecoders: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/^encoder_|\.encoder\./, "the output of an encoder, and this runtime runs decoders alone"],
  [/^inputs_embeds$/, "embeddings that another graph makes of ids and pictures or sound"],
  [/conv|ssm|mamba|recurrent|^past.*state/, "a layer's state by a name that is not known"],
  [/^past_(compressor|indexer)/, "a compressed cache, and this runtime keeps keys and values"],
  [/^past_\d+$|key_value$/, "keys and values in one tensor, and a cache has one for each"],
];

/**
 * Finds what a graph is fed and returns, and refuses one that this runtime cannot feed,
 * before it is loaded.
 *
 * @param sizes of the cache by the folder's configuration, for a graph that names them only
 * @param file the name the user knows the graph by
 * @throws StreamgaugeError `MODEL_UNSUPPORTED`, which names each input and what is missing
 */
export function readGraphPorts(
  summary: GraphSummary,
  names: GraphNames,
  sizes: CacheSizes,
  file: string,
): GraphPorts {
  const faults: string[] = [];
  const own = (standard: string): string => names.own(standard);
  const optional = (standard: string): string | undefined =>
    summary.inputs.includes(own(standard)) ? own(standard) : undefined;
  const { inputIds, attentionMask, positionIds, cacheBranch, logitsCount, logits } = standardNames;

  const integers = [inputIds, attentionMask, positionIds];
  for (const standard of integers) {
    const name = own(standard);
    if (summary.inputs.includes(name)) faults.push(...faultsOfIntegers(summary, name));
    else if (standard !== positionIds) faults.push(`it has no input ${name}`);
  }
  if (!summary.outputs.includes(own(logits))) faults.push(`it has no output ${own(logits)}`);

  const entries: CacheEntry[] = [];
  const states: StateEntry[] = [];
  const plain: readonly string[] = [...integers, cacheBranch, logitsCount];
  for (const name of summary.inputs) {
    const standard = names.standard(name) ?? "";
    if (plain.includes(standard)) continue;
    const presentState = presentOfState(standard || name);
    if (presentState !== undefined) {
      const read = readStateEntry(summary, name, own(presentState));
      if (typeof read === "string") faults.push(read);
      else states.push(read);
      continue;
    }
    const [, layer, part] = /^past_key_values\.(\d+)\.(key|value)$/.exec(standard) ?? [];
    if (layer === undefined) {
      const [, what = "none that decoders have"] =
        otherDecoders.find(([pattern]) => pattern.test(name)) ?? [];
      faults.push(`its input ${name} is ${what}`);
      continue;
    }
    const present = own(`present.${layer}.${part}`);
    const read = readEntry(summary, name, present, sizes);
    if (typeof read === "string") faults.push(read);
    else entries.push(read);
  }
  if (entries.length + states.length === 0 && faults.length === 0) {
    faults.push(`it has no cache: no input such as ${own("past_key_values.0.key")}`);
  }
  if (faults.length > 0) {
    const known = new Set(faults);
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `${file} is not a decoder that this runtime can feed: ${[...known].join("; ")}. Use an export ` +
        `for text generation with a cache of keys and values, as optimum's ` +
        `"text-generation-with-past" or onnxruntime-genai's model builder make them.`,
    );
  }
  return {
    ids: own(inputIds),
    mask: own(attentionMask),
    positions: optional(positionIds),
    branch: optional(cacheBranch),
    logitsCount: optional(logitsCount),
    logits: own(logits),
    entries,
    states,
    batch: staticBatch(summary, [
      own(inputIds),
      own(attentionMask),
      ...[...entries, ...states].map(({ past }) => past),
    ]),
  };
}

/** Integers are [batch, ids], both of which have to be free. */
function faultsOfIntegers(summary: GraphSummary, name: string): string[] {
  const shape = summary.shapes.get(name) ?? [];
  const type = elementName(summary.elements.get(name));
  if (type !== "int64") return [`its input ${name} takes ${type}, and is fed int64`];
  if (shape.length !== 2) {
    return [`its input ${name} has ${shape.length} dimensions, and is fed 2: [batch, ids]`];
  }
  const [, length] = shape;
  if (typeof length !== "number") return [];
  return [
    `its input ${name} has the fixed length ${length}, and runs have as many ids as there are`,
  ];
}

/** A cache is [batch, heads, rows, head size], of which the second and last have to be known. */
function readEntry(
  { shapes, elements, outputs }: GraphSummary,
  past: string,
  present: string,
  sizes: CacheSizes,
): CacheEntry | string {
  const shape = shapes.get(past) ?? [];
  const type = elementName(elements.get(past));
  const wanted = "[batch, heads, rows, head size]";
  if (!isFloatType(type)) return `its input ${past} takes ${type}, and a cache float32 or float16`;
  if (shape.length !== 4) {
    return `its input ${past} has ${shape.length} dimensions, and a cache 4: ${wanted}`;
  }
  const [, heads, rows, headSize] = shape;
  if (typeof rows === "number") {
    const dimensions = shape.map((size) => size ?? "?").join(", ");
    return (
      `its input ${past} has the dimensions [${dimensions}], and a cache ${wanted}, whose rows ` +
      `become more with each run`
    );
  }
  if (!outputs.includes(present)) return `it has no output ${present}, which returns ${past}`;
  const known = {
    heads: typeof heads === "number" ? heads : sizes.keyValueHeads,
    headSize: typeof headSize === "number" ? headSize : sizes.headSize,
  };
  if (known.heads === undefined || known.headSize === undefined) {
    const unknown = known.heads === undefined ? heads : headSize;
    return (
      `its input ${past} does not say the dimension ${unknown ?? "without a name"} of ${wanted}, ` +
      `nor does the folder's configuration`
    );
  }
  return { past, present, type, heads: known.heads, headSize: known.headSize };
}

function staticBatch({ shapes }: GraphSummary, inputs: readonly string[]): number | undefined {
  const batches = inputs.map((name) => shapes.get(name)?.[0]);
  return batches.find((size) => typeof size === "number");
}
