import { createInlineGenerator, type InlineGenerator } from "@streamgauge/runtime";
import { generateCommand } from "@streamgauge/runtime/cli";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

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

  it.each([
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
