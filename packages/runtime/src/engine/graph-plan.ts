import { StreamgaugeError } from "@streamgauge/core";
import type { GraphSummary } from "../onnx/graph-summary.js";
import { findLengthBorder, picksRotations, type LengthBorder } from "../onnx/length-border.js";
import { whyNotInPlace } from "../onnx/in-place.js";
import type { GraphPorts } from "./graph-ports.js";
import type { PrefixReuse } from "./prefix-reuse.js";

/** What a graph permits, each with the reason, in words for users. */
export interface GraphPlan {
  /** Whether past and present may be one memory; see `inPlacePatch`. */
  readonly cache: Permit<"in-place" | "fetched">;
  /** Most sequences that one run steps together. */
  readonly maxBatch: Permit<number>;
  /** What a sequence may go on from. */
  readonly prefixReuse: Permit<PrefixReuse>;
  /** Whether a prompt may be run in several pieces. */
  readonly pieces: Permit<boolean>;
  /** How much a row of a run depends on the run's other rows: the order of sums; more; and all. */
  readonly rounding: "exact" | "rounded" | "byRange";
  /** Fewest rows that the cache has to have room for. */
  readonly leastCapacity: number;
  /** Where rows begin to be computed in another way. */
  readonly border: LengthBorder | undefined;
}

/** A permission and why it is not another, or why it can be. */
export interface Permit<Value> {
  readonly value: Value;
  readonly because: string;
}

/** What the user asks for, which the graph has to permit. */
export interface PlanOptions {
  readonly prefixReuse: boolean;
  /** Undefined: as many as usual where that changes no ids, else one. */
  readonly maxBatch: number | undefined;
  /** For tests of what finds wrong ids: takes the cache in place whatever the graph does with it. */
  readonly forceInPlace?: boolean;
}

/** Sequences at once where nobody chooses. */
const defaultMaxBatch = 8;

/**
 * Decides how a graph is run. This is the one place that does; `describe()` says what and why.
 *
 * @param file the name the user knows the graph by
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for a batch that the graph cannot have, and rotations
 *   that nobody can follow
 */
export function planGraph(
  summary: GraphSummary,
  ports: GraphPorts,
  options: PlanOptions,
  file: string,
): GraphPlan {
  const obstacle = options.forceInPlace === true ? undefined : obstacleToPlace(summary, ports);
  const border = findLengthBorder(summary, ports.mask, ports.positions);
  if (border === undefined && picksRotations(summary)) throw refuseRotations(file);
  const rounding = roundingOf(summary, ports);
  return {
    rounding,
    cache:
      obstacle === undefined
        ? { value: "in-place", because: whyInPlace(ports) }
        : { value: "fetched", because: obstacle },
    maxBatch: planBatch(summary, ports, obstacle, options.maxBatch, file),
    prefixReuse: planReuse(ports, rounding, options.prefixReuse),
    pieces: planPieces(ports),
    leastCapacity: leastCapacity(summary),
    border,
  };
}

function whyInPlace({ entries, states }: GraphPorts): string {
  const attention = "GroupQueryAttention alone reads and writes it, each step where it is";
  const swapped = "layers' states are read in one place and written in another, by turns";
  if (states.length === 0) return attention;
  return entries.length === 0 ? swapped : `${attention}; ${swapped}`;
}

function refuseRotations(file: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${file} picks its rotary tables by an If whose condition does not compare the length of ` +
      `attention_mask, or the largest of position_ids, with a constant, so that it is not known which ` +
      `rows of a cache belong together: export it with one table.`,
  );
}

function obstacleToPlace(summary: GraphSummary, ports: GraphPorts): string | undefined {
  if (ports.branch !== undefined) {
    return `the cache is read and written inside of the branches of ${ports.branch}`;
  }
  return whyNotInPlace(summary, ports.entries);
}

function planBatch(
  summary: GraphSummary,
  ports: GraphPorts,
  obstacle: string | undefined,
  asked: number | undefined,
  file: string,
): Permit<number> {
  const { batch } = ports;
  if (batch !== undefined && batch !== 1) {
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `${file} takes exactly ${batch} sequences at once (the first dimension of its inputs), and this ` +
        `runtime runs as many as there are: export it with a free batch, or with a batch of 1.`,
    );
  }
  const reason = whyAlone(summary, batch, obstacle);
  if (reason === undefined) {
    return {
      value: asked ?? defaultMaxBatch,
      because: whyTogether(ports),
    };
  }
  if (asked === undefined || asked === 1) return { value: 1, because: reason };
  throw refuseBatch(asked, reason);
}

function whyTogether({ entries, states }: GraphPorts): string {
  const attention = "each sequence has its own row and length in GroupQueryAttention";
  if (states.length === 0) return attention;
  const own = "states of its own; prompts run alone";
  return entries.length === 0 ? `each sequence has ${own}` : `${attention}, and ${own}`;
}

export function refuseBatch(asked: number, reason: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `maxBatch is ${asked}, and this model cannot run several generations in one step without ` +
      `changing their ids: ${reason}. Leave maxBatch out, or take more workers.`,
  );
}

function whyAlone(
  { operators, nodes }: GraphSummary,
  batch: number | undefined,
  obstacle: string | undefined,
): string | undefined {
  if (batch !== undefined) return "the graph's inputs have a batch of 1";
  if (operators.has("DynamicQuantizeLinear")) return rangeReason;
  const hasBias = nodes.some(
    ({ operator, inputs }) =>
      operator === "GroupQueryAttention" && (inputs[biasInput] ?? "") !== "",
  );
  if (hasBias) return "GroupQueryAttention's attention_bias is for sequences of one length";
  if (obstacle !== undefined) return "sequences of a cache that is handed back have one length";
  return undefined;
}

/** The place of `attention_bias` among the inputs of GroupQueryAttention. */
const biasInput = 10;

const rangeReason =
  "activations are quantised by the range of their whole run (DynamicQuantizeLinear)";

function planReuse(
  { branch, states }: GraphPorts,
  rounding: GraphPlan["rounding"],
  wanted: boolean,
): Permit<PrefixReuse> {
  if (!wanted) return { value: "off", because: "the option prefixReuse is false" };
  if (branch !== undefined) {
    return { value: "off", because: "the branch for an empty cache takes the whole prompt" };
  }
  if (rounding === "byRange") return { value: "off", because: rangeReason };
  if (rounding === "rounded") {
    const because =
      "half precision or quantised matrices round a step's row and a prompt's differently";
    return {
      value: "prompts",
      because:
        states.length === 0
          ? because
          : `${because}; layers' states are kept as the prompt left them: one that does not begin with ` +
            `all of it runs again`,
    };
  }
  const because = "floats of 32 bits keep all rows alike";
  return {
    value: "sequences",
    because:
      states.length === 0
        ? because
        : `${because}; layers' states are kept as the prompt and the end left them: a prompt that ` +
          `begins with neither runs again`,
  };
}

/**
 * A row that was run alone and one that was run with others are sums in another order: a
 * matter of the sixth digit with floats of 32 bits. Half-precision floats round it to their
 * third, and quantised matrices have kernels of another kind for one row.
 */
function roundingOf(
  { operators }: GraphSummary,
  { entries, states }: GraphPorts,
): GraphPlan["rounding"] {
  if (operators.has("DynamicQuantizeLinear")) return "byRange";
  const isQuantised = [...operators].some((name) => /Quantize|Integer|NBits|Bnb4/.test(name));
  return isQuantised || [...entries, ...states].some(({ type }) => type === "float16")
    ? "rounded"
    : "exact";
}

function planPieces({ branch }: GraphPorts): Permit<boolean> {
  if (branch === undefined) {
    return { value: true, because: "the graph takes several ids behind a cache" };
  }
  return { value: false, because: "the branch behind a cache was often traced with one id" };
}

/** A GroupQueryAttention that slides its cache wants room for its whole window. */
function leastCapacity({ nodes }: GraphSummary): number {
  const windows = nodes
    .filter(({ integers }) => integers["sliding_window_cache"] === 1)
    .map(({ integers }) => integers["local_window_size"] ?? 0);
  return Math.max(0, ...windows);
}
