import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fixtureRecord } from "./fixture.js";
import { runReport } from "./run-report.js";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "streamgauge-versions-"));
});
afterEach(async () => {
  await rm(workspace, { recursive: true });
});

const report = (...flags: string[]) => runReport(workspace, ...flags);

describe("a record of another version", { timeout: 60_000 }, () => {
  it.each([
    ["BENCHMARKS.md", 2, ["--out", "BENCHMARKS.md"]],
    ["an HTML page", 5, ["--html", "page.html"]],
    ["an export", 1, ["export", "--format", "junit", "--out", "claims.xml"]],
  ])("does not become %s, and what to do is said", async (_, version, flags) => {
    const record = { ...(await fixtureRecord()), version };
    await writeFile(join(workspace, "record.json"), JSON.stringify(record));
    const { code, stderr } = await report(...flags, "--record", "record.json");
    expect(code).toBe(1);
    expect(stderr).toBe(
      `INVALID_RECORD: record.json: The record has version ${version}, and this streamgauge reads ` +
        "versions 3 and 4. Read it with the streamgauge that wrote it, or run the bench again.\n",
    );
    expect(await readdir(workspace)).toEqual(["record.json"]);
  });
});
