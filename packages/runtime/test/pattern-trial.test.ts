import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRuntime, embeddedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { tryPatterns } from "../src/text/pattern-trial.js";
import { temporaryFolder } from "./temporary-folder.js";

const split = (pattern: string): object => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";

describe("a tokenizer's pattern", () => {
  // As families write them.
  it.each([
    ["GPT-2", "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"],
    [
      "Llama 3",
      `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ],
    [
      "Qwen",
      `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ],
    ["T5", " {2,}"],
  ])("of %s passes", (_, pattern) => {
    const definition = { pre_tokenizer: split(pattern) };
    expect(() => tryPatterns(definition, "tokenizer.json")).not.toThrow();
  });

  it.each([
    ["pre_tokenizer", "(?:ab|a|b)*c"],
    ["decoder", "(\\s*\\s*)*z"],
  ])(
    "of a %s that backtracks without end is refused: %s",
    { timeout: 60_000 },
    (stage, pattern) => {
      const definition = { [stage]: { type: "Sequence", members: [split(" "), split(pattern)] } };
      expect(() => tryPatterns(definition, "tokenizer.json")).toThrow(
        expect.objectContaining({
          code: "MODEL_UNSUPPORTED",
          message: expect.stringContaining(
            `tokenizer.json: the pattern ${pattern} backtracks`,
          ) as string,
        }),
      );
    },
  );

  it("is tried when its model is loaded", { timeout: 60_000 }, async () => {
    const model = join(await temporaryFolder(), "evil-model");
    await cp(embeddedModel, model, { recursive: true });
    const file = join(model, "tokenizer.json");
    const tokenizer = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    const pretokenizers = [split("(x+x+)+y"), tokenizer["pre_tokenizer"]];
    const changed = { ...tokenizer, pre_tokenizer: { type: "Sequence", pretokenizers } };
    await writeFile(file, JSON.stringify(changed));
    await expect(createRuntime({ model })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(/tokenizer\.json: the pattern \(x\+x\+\)\+y/) as string,
    });
  });
});
