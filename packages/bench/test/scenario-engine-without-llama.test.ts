import { expect, it, vi } from "vitest";
import type { EngineModel } from "../src/scenarios/engine/engine-model.js";
import type { Closable, Keep } from "../src/plan/opened.js";
import { openRivals } from "../src/scenarios/engine/rivals.js";
import { streamsBesideLlama } from "../src/scenarios/engine/streams-beside-llama.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";

vi.mock("node-llama-cpp", () => {
  throw new Error("Cannot find package 'node-llama-cpp'");
});
vi.mock("@huggingface/transformers", () => ({
  env: { version: "4.0.0" },
  DynamicCache: Object,
  Tensor: Object,
  AutoModelForCausalLM: { from_pretrained: () => ({ dispose: () => Promise.resolve() }) },
}));

const model: EngineModel = {
  folder: "model",
  vocabularySize: 8,
  ggufFile: () => Promise.reject(new Error("It is not asked for.")),
};
const settings = { dtype: "q4", threads: 1, spinning: false, contextTokens: 8 } as const;
const why = /llama\.cpp is left out: node-llama-cpp.*does not load.*npm install node-llama-cpp/;

it("leaves llama.cpp out by name where its package is missing, and opens the others", async () => {
  const names = ["transformers.js", "llama.cpp"] as const;
  const opened: Closable[] = [];
  const keep: Keep = (thing) => {
    opened.push(thing);
    return thing;
  };
  const rivals = await openRivals(names, model, settings, keep);
  expect(rivals.peers.map(({ name }) => name)).toEqual(["transformers.js"]);
  expect(rivals.leftOut).toContain("llama.cpp");
  expect(rivals.terms.join(" ")).toMatch(why);
  expect(opened).toEqual(rivals.peers);
  for (const peer of opened) await peer.close();
});

it("fails by name where nobody else is there", async () => {
  const failure = { code: "ENGINE_FAILED", message: expect.stringMatching(why) as string };
  await expect(openRivals(["llama.cpp"], model, settings, (thing) => thing)).rejects.toMatchObject(
    failure,
  );
  const plan = streamsBesideLlama({
    blocks: 6,
    warmUpBlocks: 0,
    timeBudgetSeconds: 1,
    expectedSeconds: 1,
    dtype: "q4",
    streams: 2,
    tokens: 4,
    promptTokens: 4,
    threads: 1,
    findModel: () => Promise.resolve(model),
  });
  const generator = {
    ...createFakeGenerator({ clock: new ManualClock(), tokenNanoseconds: () => 1 }),
    describe: () => null,
    close: () => Promise.resolve(),
  };
  await expect(plan.measure(generator, measurementContext())).rejects.toMatchObject(failure);
});
