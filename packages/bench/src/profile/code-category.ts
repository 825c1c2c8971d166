import type { ThreadReports } from "@streamgauge/runtime/diagnostics";
import type { CodeCategory } from "../record/index.js";
import { portablePath } from "./portable-path.js";

/** Where a function is. Lines count from 0. */
export type CallFrame = ThreadReports["cpuProfile"]["nodes"][number]["callFrame"];

/** Whose code a call frame is. `asleep`: the thread had nothing to do. `instrument`: the profiler's own. */
export type Attribution = CodeCategory | "asleep" | "instrument";

/** V8's names for what is no function. */
const states: ReadonlyMap<string, Attribution> = new Map([
  ["(idle)", "asleep"],
  ["(program)", "other"],
  ["(garbage collector)", "garbage collection"],
  ["(root)", "other"],
]);

/** The first that matches a file's path decides. Paths have forward slashes. */
const places: readonly (readonly [RegExp, Attribution])[] = [
  [/^node:inspector/, "instrument"],
  [/^node:/, "node"],
  [/\/node_modules\/onnxruntime-(node|common)\//, "onnxruntime"],
  [/\/node_modules\/@huggingface\/tokenizers\//, "tokenizer"],
  [/\/node_modules\/(piscina|comlink)\//, "host"],
  [/\/(packages|@streamgauge)\/runtime\/(dist|src)\/diagnostics/, "instrument"],
  [/\/(packages|@streamgauge)\/runtime\/(dist|src)\/ring\//, "ring"],
  [/\/(packages|@streamgauge)\/runtime\/(dist|src)\/text\//, "tokenizer"],
  [/\/(packages|@streamgauge)\/runtime\/(dist|src)\/(engine|onnx)\//, "engine"],
  [/\/(packages|@streamgauge)\/runtime\/(dist|src)\//, "host"],
  [/\/(packages|@streamgauge)\/core\/(dist|src)\//, "adapter"],
  [/\/(packages|@streamgauge)\/bench\/(dist|src)\//, "bench"],
];

/**
 * Whose code a frame is, where its caller's attribution is known. Code without a
 * file (`Atomics.store`, `Array.push`, an addon's function) works for its
 * caller: the operators' kernels are called by onnxruntime-node, so they are
 * onnxruntime's, and the inspector's own work is the instrument's.
 */
export function attributionOf({ functionName, url }: CallFrame, caller: Attribution): Attribution {
  if (url === "") return states.get(functionName) ?? (isState(functionName) ? "other" : caller);
  const path = url.replaceAll("\\", "/");
  const own = places.find(([pattern]) => pattern.test(path))?.[1] ?? "user";
  // Node's functions that the inspector runs are part of it.
  return own === "node" && caller === "instrument" ? "instrument" : own;
}

/** V8 puts in brackets what is no function. */
function isState(functionName: string): boolean {
  return /^\(.*\)$/.test(functionName);
}

/** Name and place of a function, as "poll (ring/consumer.js:52)", or whom native code works for. */
export function nameOf({ functionName, url, lineNumber }: CallFrame, caller?: CallFrame): string {
  const name = functionName === "" ? "(anonymous)" : functionName;
  if (url !== "") return `${name} (${shortPath(url)}:${lineNumber + 1})`;
  if (isState(functionName) || caller === undefined) return name;
  return `native ${name} in ${nameOf(caller)}`;
}

/** The end of a path that says enough: our own packages, the runtime's first of all, need no more. */
function shortPath(url: string): string {
  const path = portablePath(url);
  const own = /^@streamgauge\/(\w+)\/(?:dist|src)\/(.*)$/.exec(path);
  if (own === null) return path;
  return own[1] === "runtime" ? (own[2] as string) : `${own[1]}/${own[2]}`;
}
