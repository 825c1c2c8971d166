import { embeddedModel, createRuntime } from "@streamgauge/runtime";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { readExamples, runExample } from "../../../scripts/readme-example.js";

const here = new URL(".", import.meta.url);
let written = "";

beforeEach(() => {
  written = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    written += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** What an example without a model says that it writes. */
function saidIn(example: string): string | undefined {
  return /^process\.stdout\.write\(.*\/\/ "(.*)"$/m.exec(example)?.[1];
}

it.each([
  ["the package's README", new URL("../README.md", import.meta.url)],
  ["the project's README", new URL("../../../README.md", import.meta.url)],
  ["the page on rings", new URL("../../../docs/rings.md", import.meta.url)],
])("the examples of %s run and write the model's text", async (_, readme) => {
  const examples = await readExamples(readme);
  expect(examples.length).toBeGreaterThan(0);
  await using runtime = await createRuntime({ model: embeddedModel });
  const said = "It is not down in any map;";
  const config = { maxTokens: 60, temperature: 0.8, topP: 0.95, seed: 1851 };
  const { text } = await runtime.generate(said, config);
  const messages = [{ role: "user", content: said }];
  const { text: answer } = await runtime.generate({ messages }, config);
  for (const example of examples) {
    written = "";
    await runExample(example, here);
    // The AI SDK's prompts are messages.
    const isChat = /messages:|streamText/.test(example);
    expect(written).toContain(saidIn(example) ?? (isChat ? answer : text));
  }
});
