import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInlineGenerator, type InlineGenerator } from "@streamgauge/runtime";
import { demoCommand, generateCommand } from "@streamgauge/runtime/cli";
import { buildModel } from "@streamgauge/runtime/onnx";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { writePlainAttention } from "./plain-attention.js";
import { temporaryFolder } from "./temporary-folder.js";

const checkpoint = fileURLToPath(new URL("../checkpoints/pequod", import.meta.url));
const prompt = "It is not down in any map;";
let generator: InlineGenerator;

beforeAll(async () => {
  generator = await createInlineGenerator();
});
afterAll(() => generator.close());
afterEach(() => {
  vi.restoreAllMocks();
});

/** What the command writes to standard output. */
async function outputOf(...flags: string[]): Promise<string> {
  let output = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += String(text);
    return true;
  });
  await generateCommand().parseAsync([prompt, "--inline", "--no-stats", ...flags], {
    from: "user",
  });
  return output;
}

describe("the generate command", () => {
  it("hands every sampling option on", async () => {
    const { text } = await generator.generate(prompt, {
      maxTokens: 30,
      temperature: 1.4,
      topK: 300,
      topP: 0.98,
      minP: 0.01,
      typicalP: 0.95,
      repetitionPenalty: 1.2,
      presencePenalty: -0.5,
      frequencyPenalty: 0.3,
      logitBias: { 4: 2, 0: -100 },
      noRepeatNgramSize: 2,
      minTokens: 4,
      seed: 9,
    });
    const flags =
      "--max-tokens 30 --temperature 1.4 --top-k 300 --top-p 0.98 --min-p 0.01 --typical-p 0.95 " +
      "--repetition-penalty 1.2 --presence-penalty -0.5 --frequency-penalty 0.3 " +
      "--logit-bias 4=2 --logit-bias 0=-100 --no-repeat-ngram-size 2 --min-tokens 4 --seed 9";
    expect(await outputOf(...flags.split(" "))).toBe(`${prompt}${text}\n`);
  });

  it("ends at a text or an id", async () => {
    const { text, ids } = await generator.generate(prompt, { maxTokens: 20 });
    const stop = text.slice(10, 16);
    const byText = await outputOf("--greedy", "--stop", "never made", "--stop", stop);
    expect(byText).toBe(`${prompt}${text.slice(0, text.indexOf(stop))}\n`);
    const byId = await outputOf("--greedy", "--stop-token-id", String(ids[3]));
    const { text: untilId } = await generator.generate(prompt, { stopTokenIds: [ids[3]!] });
    expect(byId).toBe(`${prompt}${untilId}\n`);
  });

  it("writes a line of log-probabilities for each token", async () => {
    const output = await outputOf("--greedy", "--max-tokens", "5", "--logprobs", "2");
    const { ids, logprobs } = await generator.generate(prompt, { maxTokens: 5, logprobs: true });
    const lines = output.trimEnd().split("\n");
    expect(lines).toHaveLength(5);
    for (const [index, line] of lines.entries()) {
      const own = `${ids[index]} ${logprobs?.[index]?.toFixed(3)}`;
      expect(line.trim().split(/\s+/).slice(0, 2).join(" ")).toBe(own);
      expect(line).toContain(`likeliest: ${own}, `);
    }
  });

  it("opens the graph and the engine that it is told to", async () => {
    const model = join(await temporaryFolder(), "model");
    await buildModel({ checkpoint, out: model, dtypes: ["fp32", "q4"] });
    await using quantised = await createInlineGenerator({ model, dtype: "q4" });
    const { text } = await quantised.generate(prompt, { maxTokens: 20 });
    const { text: whole } = await generator.generate(prompt, { maxTokens: 20 });
    expect(text).not.toBe(whole);
    const flags = `--greedy --max-tokens 20 --model ${model} --dtype q4 --execution-provider cpu`;
    expect(await outputOf(...flags.split(" "))).toBe(`${prompt}${text}\n`);
    const output = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await demoCommand().parseAsync([prompt, "--model", model, "--dtype", "q4"], { from: "user" });
    expect(output.mock.calls.at(-1)?.[0]).toContain("(model, worker thread, finish: ");
    const plain = join(await temporaryFolder(), "plain");
    await writePlainAttention(plain, {});
    const batch = outputOf("--model", plain, "--dtype", "fp32", "--max-batch", "2");
    await expect(batch).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("maxBatch is 2") as string,
    });
  });

  it("says what may run operators here, when it is asked for something else", async () => {
    await expect(outputOf("--execution-provider", "abacus")).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/onnxruntime-node has on this platform: .*cpu/) as string,
    });
  });

  it.each([true, false])("shows how far loading is where it is a terminal: %s", async (isTTY) => {
    const { stderr } = process;
    const before = Object.getOwnPropertyDescriptor(stderr, "isTTY");
    onTestFinished(() => {
      if (before === undefined) Reflect.deleteProperty(stderr, "isTTY");
      else Object.defineProperty(stderr, "isTTY", before);
    });
    Object.defineProperty(stderr, "isTTY", { value: isTTY, configurable: true });
    let shown = "";
    vi.spyOn(stderr, "write").mockImplementation((text) => {
      shown += String(text);
      return true;
    });
    vi.spyOn(process.stdout, "write").mockReturnValue(true);
    await generateCommand().parseAsync([prompt, "--max-tokens", "3"], { from: "user" });
    const stages = ["…", ": reading", ": preparing", ": warming up", ": ready"];
    const lines = [...stages.map((stage) => `Loading the model${stage}`), ""];
    const erased = "\u001B[1G\u001B[2K";
    const progress = lines.map((line) => erased + line).join("");
    const display = isTTY ? progress : "";
    expect(shown.slice(0, display.length)).toBe(display);
    expect(shown.slice(display.length)).toMatch(
      /^\n3 tokens, .*\(pequod, worker thread, finish: length\)\nloaded in \d+ ms, \d+ MiB per worker\n$/,
    );
  });

  it.each([
    ["--dtype q5", /Allowed choices are fp32, fp16, /],
    ["--max-batch 0", /It must be an integer ≥ 1/],
    ["--threads half", /It must be an integer ≥ 1/],
    ["--logit-bias 5", /not a token id/],
    ["--min-p much", /not a number/],
  ])("refuses %s", async (flags, message) => {
    const command = generateCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => undefined });
    await expect(
      command.parseAsync([prompt, ...flags.split(" ")], { from: "user" }),
    ).rejects.toThrow(message);
  });
});
