import { describe, expect, it } from "vitest";
import type { CallTreeNode, CodeCategory } from "@streamgauge/bench/record";
import { attributionOf, nameOf, type CallFrame } from "../src/profile/code-category.js";
import { summarizeCpuProfiles } from "../src/profile/cpu-profile-summary.js";
import type { CpuProfile } from "../src/profile/cpu-profile-nodes.js";

const here = "file:///home/somebody/streamgauge/packages";
const installed = "/app/node_modules/.pnpm/x@1/node_modules";

function frame(functionName: string, url = "", lineNumber = -1): CallFrame {
  return { functionName, url, lineNumber, columnNumber: 0, scriptId: "1" };
}

describe("attributionOf", () => {
  it.each([
    [`${here}/runtime/dist/engine/decode.js`, "engine"],
    [`${here}/runtime/dist/onnx/patch.js`, "engine"],
    [`${here}/runtime/dist/ring/consumer.js`, "ring"],
    [`${here}/runtime/dist/text/detokenizer.js`, "tokenizer"],
    [`${here}/runtime/dist/worker/entry.js`, "host"],
    [`${here}/runtime/dist/diagnostics/cpu-profile.js`, "instrument"],
    [`${here}/core/dist/adapters/callback.js`, "adapter"],
    [`${here}/core/dist/transcript.js`, "adapter"],
    [`${here}/bench/dist/recorder.js`, "bench"],
    [`file://${installed}/@streamgauge/runtime/dist/ring/producer.js`, "ring"],
    [`${installed}/onnxruntime-node/dist/backend.js`, "onnxruntime"],
    [`${installed}/onnxruntime-common/dist/cjs/tensor-impl.js`, "onnxruntime"],
    [`${installed}/@huggingface/tokenizers/dist/tokenizers.mjs`, "tokenizer"],
    [`${installed}/piscina/dist/index.js`, "host"],
    [`${installed}/left-pad/index.js`, "user"],
    ["C:\\streamgauge\\packages\\runtime\\dist\\ring\\producer.js", "ring"],
    ["file:///home/someone/chat.mjs", "user"],
    ["node:internal/timers", "node"],
    ["node:inspector", "instrument"],
  ])("takes %s for %s", (url, category) => {
    expect(attributionOf(frame("f", url), "other")).toBe(category);
  });

  it("knows what is no function", () => {
    expect(attributionOf(frame("(idle)"), "other")).toBe("asleep");
    expect(attributionOf(frame("(program)"), "other")).toBe("other");
    // A function may be called as what objects inherit.
    expect(attributionOf(frame("constructor"), "engine")).toBe("engine");
    expect(attributionOf(frame("(garbage collector)"), "engine")).toBe("garbage collection");
    expect(attributionOf(frame("(V8 API)"), "other")).toBe("other");
  });

  it("counts native code as its caller's", () => {
    expect(attributionOf(frame(""), "onnxruntime")).toBe("onnxruntime");
    expect(attributionOf(frame("dispatch"), "instrument")).toBe("instrument");
  });
});

describe("nameOf", () => {
  it("counts lines from 1, and shortens paths to what says enough", () => {
    expect(nameOf(frame("poll", `${here}/runtime/dist/ring/consumer.js`, 51))).toBe(
      "poll (ring/consumer.js:52)",
    );
    expect(nameOf(frame("add", `${here}/core/dist/transcript.js`, 9))).toBe(
      "add (core/transcript.js:10)",
    );
    expect(nameOf(frame("", `${installed}/onnxruntime-node/dist/backend.js`, 0))).toBe(
      "(anonymous) (onnxruntime-node/dist/backend.js:1)",
    );
    expect(nameOf(frame("main", "file:///home/someone/project/chat.mjs", 4))).toBe(
      "main (project/chat.mjs:5)",
    );
  });

  it("says whom native code works for", () => {
    const caller = frame("wake", `${here}/runtime/dist/ring/sleep.js`, 21);
    expect(nameOf(frame("notify"), caller)).toBe("native notify in wake (ring/sleep.js:22)");
    expect(nameOf(frame("(program)"), caller)).toBe("(program)");
  });
});

function node(
  caller: number,
  place: Pick<CallTreeNode, "name" | "file" | "line">,
  category: CodeCategory,
  selfMicrosecondsPerToken: number,
  selfSamples: number,
): CallTreeNode {
  return { caller, ...place, category, selfMicrosecondsPerToken, selfSamples };
}

describe("summarizeCpuProfiles", () => {
  const profile: CpuProfile = {
    nodes: [
      { id: 1, callFrame: frame("(root)"), children: [2, 3, 4, 5, 8] },
      { id: 2, callFrame: frame("(idle)") },
      { id: 3, callFrame: frame("(program)") },
      { id: 4, callFrame: frame("poll", `${here}/runtime/dist/ring/consumer.js`, 29) },
      {
        id: 5,
        callFrame: frame("run", `${installed}/onnxruntime-node/dist/backend.js`, 113),
        children: [6],
      },
      { id: 6, callFrame: frame(""), children: [7] },
      { id: 7, callFrame: frame("poll", `${here}/runtime/dist/ring/consumer.js`, 29) },
      { id: 8, callFrame: frame("post", "node:inspector", 10), children: [9] },
      { id: 9, callFrame: frame("dispatch") },
    ],
    startTime: 1000,
    endTime: 3000,
    // Samples at 1100, 1200, 1500, 1600, 2000, 2500 and 2800.
    samples: [2, 3, 4, 6, 7, 9, 4],
    timeDeltas: [100, 100, 300, 100, 400, 500, 300],
  };
  const findings = summarizeCpuProfiles(
    [
      { thread: "main", clockOffsetMilliseconds: 0, report: profile },
      { thread: "worker 0", clockOffsetMilliseconds: 0, report: profile },
      { thread: "main", clockOffsetMilliseconds: 0, report: profile },
    ],
    10,
  );

  it("sums a thread's profiles, without what was asleep and the profiler's own", () => {
    // Of one profile: program 300, poll 100 + 500 + 200, native run 400.
    expect(findings.threads).toEqual([
      { thread: "main", samples: 10, busyMicrosecondsPerToken: 300 },
      { thread: "worker 0", samples: 5, busyMicrosecondsPerToken: 150 },
    ]);
    expect(findings.categories.filter(({ thread }) => thread === "main")).toEqual([
      { thread: "main", category: "ring", selfMicrosecondsPerToken: 160, fraction: 16 / 30 },
      { thread: "main", category: "onnxruntime", selfMicrosecondsPerToken: 80, fraction: 8 / 30 },
      { thread: "main", category: "other", selfMicrosecondsPerToken: 60, fraction: 6 / 30 },
    ]);
  });

  it("joins the nodes of a function, the hottest first", () => {
    expect(findings.hotFunctions.map(({ thread, name }) => [thread, name])).toEqual([
      ["main", "poll (ring/consumer.js:30)"],
      ["main", "native (anonymous) in run (onnxruntime-node/dist/backend.js:114)"],
      ["worker 0", "poll (ring/consumer.js:30)"],
      ["main", "(program)"],
      ["worker 0", "native (anonymous) in run (onnxruntime-node/dist/backend.js:114)"],
      ["worker 0", "(program)"],
    ]);
  });

  it("copes with a profile without samples", () => {
    const empty: CpuProfile = { nodes: profile.nodes, startTime: 0, endTime: 1 };
    const report = { thread: "main", clockOffsetMilliseconds: 0, report: empty };
    expect(summarizeCpuProfiles([report], 10)).toEqual({
      kind: "cpuProfile",
      threads: [{ thread: "main", samples: 0, busyMicrosecondsPerToken: 0 }],
      categories: [],
      hotFunctions: [],
      callTrees: [{ thread: "main", nodes: [] }],
    });
  });

  it("keeps who called whom, the largest first, without the places of this machine", () => {
    const [main] = findings.callTrees ?? [];
    const backend = { file: "onnxruntime-node/dist/backend.js", line: 114 };
    const poll = { name: "poll", file: "@streamgauge/runtime/dist/ring/consumer.js", line: 30 };
    const native = { file: "", line: 0 };
    expect(main).toEqual({
      thread: "main",
      nodes: [
        node(-1, { ...backend, name: "run" }, "onnxruntime", 0, 0),
        node(0, { ...native, name: "(anonymous)" }, "onnxruntime", 80, 2),
        node(1, poll, "ring", 100, 2),
        node(-1, poll, "ring", 60, 4),
        node(-1, { ...native, name: "(program)" }, "other", 60, 2),
      ],
    });
  });

  it("puts calls with little time together, and bounds the tree", () => {
    // Functions that `all` calls, with 1 to 300 µs.
    const many = Array.from({ length: 300 }, (_, index) => index + 1);
    const wide: CpuProfile = {
      nodes: [
        { id: 5000, callFrame: frame("all", "node:all", 0), children: many },
        ...many.map((id) => ({ id, callFrame: frame(`f${id}`, "node:some", id) })),
      ],
      startTime: 0,
      endTime: 45_150,
      samples: many,
      timeDeltas: [0, ...many.slice(0, -1)],
    };
    const report = { thread: "main", clockOffsetMilliseconds: 0, report: wide };
    const [tree] = summarizeCpuProfiles([report], 1).callTrees ?? [];
    const nodes = tree?.nodes ?? [];
    expect(nodes).toHaveLength(1 + 120);
    expect(nodes[1]).toMatchObject({ caller: 0, name: "f300", selfMicrosecondsPerToken: 300 });
    // `all` and the largest 119 are kept.
    expect(nodes.at(-1)).toMatchObject({ caller: 0, name: "(rest)", selfSamples: 181 });
    const all = nodes.reduce((sum, own) => sum + own.selfMicrosecondsPerToken, 0);
    expect(all).toBe(45_150);
  });
});
