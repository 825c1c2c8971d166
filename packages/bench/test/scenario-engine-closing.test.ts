import { afterEach, expect, it, vi } from "vitest";
import { firstToken } from "../src/scenarios/engine/first-token.js";
import { streamsBesideLlama } from "../src/scenarios/engine/streams-beside-llama.js";
import type { MeasurementPlan } from "../src/plan/stage.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";

const { open, openWhenItFailed, fail } = vi.hoisted(() => {
  /** What was opened, and is not closed yet. */
  const isOpen = new Set<string>();
  const whenItFailed: string[] = [];
  return {
    open: isOpen,
    openWhenItFailed: whenItFailed,
    fail: (): never => {
      whenItFailed.push(...isOpen);
      throw new Error("It does not open.");
    },
  };
});

vi.mock("node-llama-cpp", () => ({
  LlamaLogLevel: { error: "error" },
  getModuleVersion: () => Promise.resolve("0.0.0"),
  getLlama: () => {
    open.add("llama.cpp");
    return Promise.resolve({
      llamaCppRelease: { release: "b0" },
      loadModel: () =>
        Promise.resolve({
          createContext: () => Promise.resolve({ getSequence: () => ({}) }),
        }),
      dispose: () => Promise.resolve(void open.delete("llama.cpp")),
    });
  },
}));
vi.mock("@huggingface/transformers", () => ({
  env: { version: "0.0.0" },
  DynamicCache: Object,
  Tensor: Object,
  AutoModelForCausalLM: {
    from_pretrained: () => {
      open.add("transformers.js");
      return Promise.resolve({
        dispose: () => Promise.resolve(void open.delete("transformers.js")),
      });
    },
  },
}));
vi.mock("@streamgauge/runtime", () => ({
  createRuntime: async () => fail(),
  createInlineGenerator: () => {
    open.add("streamgauge");
    return Promise.resolve({
      describe: () => ({ spinning: false }),
      close: () => Promise.resolve(void open.delete("streamgauge")),
    });
  },
}));

const size = { blocks: 6, warmUpBlocks: 0, timeBudgetSeconds: 1, expectedSeconds: 1 };
const model = { folder: "model", vocabularySize: 8 };
const generator = {
  ...createFakeGenerator({ clock: new ManualClock(), tokenNanoseconds: () => 1 }),
  describe: () => null,
  close: () => Promise.resolve(),
};

afterEach(() => void openWhenItFailed.splice(0));

async function expectFailure(plan: MeasurementPlan): Promise<void> {
  await expect(plan.measure(generator, measurementContext())).rejects.toThrow("It does not open.");
  expect([...open]).toEqual([]);
}

it("llama.cpp is closed where the runtime beside it does not open", async () => {
  await expectFailure(
    streamsBesideLlama({
      ...size,
      dtype: "q4",
      streams: 2,
      tokens: 4,
      promptTokens: 4,
      threads: 1,
      findModel: () => Promise.resolve({ ...model, ggufFile: async () => "model.gguf" }),
    }),
  );
  expect(openWhenItFailed).toEqual(["llama.cpp"]);
});

it("ours and the first rival are closed where the second one has no file", async () => {
  await expectFailure(
    firstToken({
      ...size,
      dtype: "q4",
      promptTokens: 4,
      threads: 1,
      hasControl: false,
      rivals: ["transformers.js", "llama.cpp"],
      findModel: () => Promise.resolve({ ...model, ggufFile: async () => fail() }),
    }),
  );
  expect(openWhenItFailed).toEqual(["streamgauge", "transformers.js"]);
});
