import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GenerationResult, Generator } from "@streamgauge/core";
import { expect, it } from "vitest";
import { readExamples, runExample } from "../../../scripts/readme-example.js";

it("the README's examples run, one on the other", async () => {
  const [modes = "", adapters = "", own = ""] = await readExamples(
    new URL("../README.md", import.meta.url),
  );
  const here = new URL(".", import.meta.url);
  const { counter } = (await runExample(own, here)) as { counter: Generator };
  const { threeWays } = (await runExample(`${modes}\nexport { threeWays };`, here)) as {
    threeWays: (generator: Generator) => Promise<string[]>;
  };
  const texts = await threeWays(counter);
  const expected: GenerationResult = await counter.generate("Call me", { maxTokens: 20 });
  expect(expected.ids).toHaveLength(20);
  expect(texts).toEqual(Array.from({ length: 4 }, () => expected.text));

  const { answer } = (await runExample(adapters, here)) as { answer: Answer };
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-"));
  try {
    const file = join(folder, "answer.txt");
    const { response, copied, result } = answer(counter, "Call me", file);
    const [body] = await Promise.all([response.text(), copied]);
    expect(body).toBe(expected.text);
    expect(await readFile(file, "utf8")).toBe(expected.text);
    expect(await result).toEqual(expected);
  } finally {
    await rm(folder, { recursive: true });
  }
});

type Answer = (
  generator: Generator,
  prompt: string,
  file: string,
) => {
  readonly response: Response;
  readonly copied: Promise<void>;
  readonly result: Promise<GenerationResult>;
};
