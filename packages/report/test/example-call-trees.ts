import type { CallTree, CallTreeNode } from "@streamgauge/bench/record";

function node(
  caller: number,
  name: string,
  category: CallTreeNode["category"],
  selfMicrosecondsPerToken: number,
  file = "",
): CallTreeNode {
  const line = file === "" ? 0 : 52;
  return { caller, name, file, line, category, selfMicrosecondsPerToken, selfSamples: 20 };
}

/** Of a consumer that polls, and of a worker that is mostly in native code. */
export const exampleCallTrees: readonly CallTree[] = [
  {
    thread: "main",
    nodes: [
      node(-1, "next", "adapter", 5, "@streamgauge/core/dist/adapters/async-iterable.js"),
      node(0, "poll", "ring", 9, "@streamgauge/runtime/dist/ring/consumer.js"),
      node(1, "load", "ring", 4),
      node(-1, "(program)", "other", 2),
    ],
  },
  {
    thread: "worker 0",
    nodes: [
      node(-1, "decode", "engine", 30, "@streamgauge/runtime/dist/engine/decode.js"),
      node(0, "run", "onnxruntime", 10, "onnxruntime-node/dist/backend.js"),
      node(1, "(anonymous)", "onnxruntime", 155),
      node(0, "(rest)", "other", 5),
    ],
  },
];
