import { expect, it, vi } from "vitest";
import { readExamples, runExample } from "../../../scripts/readme-example.js";
import { fixturePath } from "./fixture.js";

it("the README's example runs", async () => {
  const [example = ""] = await readExamples(new URL("../README.md", import.meta.url));
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    const runnable = example.replace('"results/reference"', JSON.stringify(fixturePath));
    await runExample(runnable, new URL(".", import.meta.url));
    expect(log.mock.calls.flat()).toEqual([
      expect.stringContaining("# Benchmarks"),
      expect.stringContaining("### Performance"),
    ]);
  } finally {
    log.mockRestore();
  }
});

it("the README's example of charts runs", async () => {
  const [, example = ""] = await readExamples(new URL("../README.md", import.meta.url));
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    const runnable = example.replace('"results/reference"', JSON.stringify(fixturePath));
    await runExample(runnable, new URL(".", import.meta.url));
    expect(log.mock.calls[0]).toEqual(["overhead", expect.any(Number)]);
    expect(log.mock.calls.at(-1)).toEqual([expect.any(Number)]);
  } finally {
    log.mockRestore();
  }
});
