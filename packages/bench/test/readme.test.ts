import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { readExamples, runExample } from "../../../scripts/readme-example.js";
import { readRecordFile } from "../src/run/read-record.js";

it("the README's example runs and leaves a record", async () => {
  const [example = ""] = await readExamples(new URL("../README.md", import.meta.url));
  const output = await mkdtemp(join(tmpdir(), "streamgauge-"));
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    const runnable = example
      .replace("./echo-generator.js", "../echo-generator.js")
      .replace('"results/local/readme"', JSON.stringify(output));
    await runExample(runnable, new URL(".", import.meta.url));
    expect(log.mock.calls.join("\n")).toContain("Absolute cost of streaming");
    const record = await readRecordFile(output);
    expect(record).toMatchObject({ status: "complete", seed: 7 });
    expect(record.cells[0]?.failure).toBeNull();
  } finally {
    log.mockRestore();
    await rm(output, { recursive: true });
  }
});
