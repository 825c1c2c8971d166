import { elementName, type GraphSummary } from "../onnx/graph-summary.js";
import { isFloatType, type FloatType } from "./float-tensor.js";

/**
 * A state of one layer, as the graph names it: all that the layer keeps of the ids run so
 * far, in a size that does not grow. It belongs to exactly one number of ids.
 */
export interface StateEntry {
  /** Graph input, for instance `past_conv.N`. Zeros where nothing was run. */
  readonly past: string;
  /** Graph output holding the state behind the run. */
  readonly present: string;
  readonly type: FloatType;
  /** Its dimensions behind the batch. */
  readonly dimensions: readonly number[];
}

/** Inputs of states, and what the outputs that go on from them are called. */
const stateNames: readonly (readonly [past: RegExp, present: string])[] = [
  // onnx-community, transformers.js: LFM2, Granite-4, Falcon-H1, Qwen3-Next, OLMo-Hybrid.
  [/^past_(conv|ssm|recurrent)\.(\d+(?:\.\w+)?)$/, "present_$1.$2"],
  // onnxruntime-genai: LFM2, Qwen3.5; transformers.js: Zaya.
  [/^past\.(\d+)\.(conv|recurrent)$/, "present.$1.$2"],
  [/^past_key_values\.(\d+)\.(\w+_state)$/, "present.$1.$2"],
];

/** The output that goes on from a state; undefined for an input that is none. By standard names. */
export function presentOfState(past: string): string | undefined {
  const [pattern, present] = stateNames.find(([known]) => known.test(past)) ?? [];
  return pattern && past.replace(pattern, present ?? "");
}

/** @returns the state, or why it is none that this runtime can keep */
export function readStateEntry(
  { shapes, elements, outputs }: GraphSummary,
  past: string,
  present: string,
): StateEntry | string {
  const [batch, ...dimensions] = shapes.get(past) ?? [];
  const type = elementName(elements.get(past));
  if (!isFloatType(type)) return `its input ${past} takes ${type}, and a state float32 or float16`;
  const isFixed = dimensions.every((size): size is number => typeof size === "number");
  if (!isFixed || dimensions.length === 0) {
    return (
      `its input ${past} has the dimensions ${shown([batch, ...dimensions])}, and all but the first ` +
      `of a layer's state are numbers`
    );
  }
  if (!outputs.includes(present)) return `it has no output ${present}, which returns ${past}`;
  const presentElement = elements.get(present);
  if (presentElement !== undefined && presentElement !== elements.get(past)) {
    return `its output ${present} is of ${elementName(presentElement)}, and ${past} of ${type}`;
  }
  const returned = shapes.get(present) ?? [];
  const differs = dimensions.some((size, at) => {
    const other = returned[at + 1];
    return typeof other === "number" && other !== size;
  });
  if (differs || (returned.length > 0 && returned.length !== dimensions.length + 1)) {
    return (
      `its output ${present} has the dimensions ${shown(returned)}, and ${past}, which it is to be ` +
      `next, ${shown([batch, ...dimensions])}`
    );
  }
  return { past, present, type, dimensions };
}

function shown(shape: readonly (number | string | undefined)[]): string {
  return `[${shape.map((size) => size ?? "?").join(", ")}]`;
}
