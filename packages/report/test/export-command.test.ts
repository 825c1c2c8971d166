import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportFormats } from "@streamgauge/report";
import { writeSampledRun } from "../../bench/test/sampled-run.js";
import { exportedText } from "./exported.js";
import { fixtureRecord } from "./fixture.js";
import { runReport } from "./run-report.js";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "streamgauge-export-"));
  await writeFile(join(workspace, "record.json"), JSON.stringify(await fixtureRecord()));
});
afterEach(async () => {
  await rm(workspace, { recursive: true });
});

const report = (...flags: string[]) => runReport(workspace, ...flags);

describe("streamgauge-report export", { timeout: 60_000 }, () => {
  it("lists its formats", async () => {
    const { code, stdout } = await report("export", "--list");
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([
      ...exportFormats.map(({ name }) => name),
      "",
    ]);
  });

  it("prints a text, and writes a file or a folder", async () => {
    const text = await exportedText("junit", await fixtureRecord());
    const record = ["--record", "record.json"];
    expect(await report("export", "--format", "junit", ...record)).toMatchObject({
      code: 0,
      stdout: text,
    });
    const toFile = await report("export", "--format", "junit", ...record, "--out", "claims.xml");
    expect(toFile).toMatchObject({ code: 0, stdout: "" });
    expect(toFile.stderr).toContain("Wrote claims.xml from record.json.");
    expect(await readFile(join(workspace, "claims.xml"), "utf8")).toBe(text);
    await report("export", "--format", "csv", ...record, "--out", "tables");
    expect((await readdir(join(workspace, "tables"))).toSorted()).toEqual([
      "blocks.csv",
      "environment.csv",
      "percentiles.csv",
      "summary.csv",
    ]);
  });

  it("writes long tables, and leaves no half of one", async () => {
    const record = await writeSampledRun(join(workspace, "run"), await fixtureRecord());
    const flags = ["export", "--format", "ndjson", "--record", "run", "--out"];
    expect(await report(...flags, "data")).toMatchObject({ code: 0, stdout: "" });
    const tables = ["cells.ndjson", "modes.ndjson", "runs.ndjson", "tokens.ndjson"];
    expect((await readdir(join(workspace, "data"))).toSorted()).toEqual(tables);
    // With the blocks in it, as records of before have them: only the samples are missed.
    await writeFile(join(workspace, "run", "record.json"), JSON.stringify(record));
    await rm(join(workspace, "run", "raw"), { recursive: true });
    const cut = await report(...flags, "cut");
    expect(cut.code).toBe(1);
    expect(cut.stderr).toMatch(/^INVALID_RAW_SAMPLES: .*raw\/timed-10\.bin\.gz/);
    expect((await readdir(join(workspace, "cut"))).toSorted()).toEqual(tables.slice(0, 3));
  });

  it("says what is missing or wrong", async () => {
    expect((await report("export")).stderr).toContain("--format is missing; --list");
    expect((await report("export", "--format", "xlsx")).stderr).toContain("needs --out <file>");
    for (const format of ["csv", "ndjson", "parquet"]) {
      const { stderr } = await report("export", "--format", format);
      expect(stderr).toContain(`${format} needs --out <folder>`);
    }
    expect((await report("export", "--format", "pdf")).stderr).toContain("There are: xlsx, csv");
    const nowhere = join("nowhere", "claims.xml");
    const record = ["--record", "record.json"];
    const unwritable = await report("export", "--format", "junit", ...record, "--out", nowhere);
    expect(unwritable.code).toBe(1);
    expect(unwritable.stderr).toMatch(/cannot write nowhere.claims\.xml: ENOENT/);
  });
});

describe("streamgauge-report import", { timeout: 60_000 }, () => {
  it("refuses what it cannot read, by file and code", async () => {
    const wrong = await report("import", "record.json");
    expect(wrong).toMatchObject({ code: 1, stdout: "" });
    expect(wrong.stderr).toMatch(/^INVALID_RECORD: record\.json: .*GuideLLM's benchmarks\.json/);
    expect((await report("import", "nowhere.json")).stderr).toMatch(/no readable file nowhere/);
  });

  it("prints the table of what this package exports in vLLM's names", async () => {
    await report("export", "--format", "vllm", "--record", "record.json", "--out", "vllm");
    const { code, stdout } = await report("import", "vllm/pequod-pooled-10.sync.vllm.json");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^## vLLM: pequod\n\n8 requests; 0 failed.*\n\n\| metric \|/);
    expect(stdout).toMatch(/\| TTFT \(ms\) \| (\d+\.\d{3} \| ){3}.* \| ttft\\_ms \| \d/);
  });
});
