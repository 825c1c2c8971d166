import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { definitions } from "@streamgauge/bench";
import { fixtureRecord } from "./fixture.js";
import { runReport } from "./run-report.js";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "streamgauge-classes-"));
});
afterEach(async () => {
  await rm(workspace, { recursive: true });
});

const classes = () => runReport(workspace, "classes", workspace);

describe("streamgauge-report classes", () => {
  it("has a row for each claim and class, those of a claim under each other", async () => {
    const record = await fixtureRecord();
    for (const label of ["m7i.large", "c7g.large"]) {
      const { environment, cells } = record;
      const processes = [0, 1, 2, 3, 4, 5, 6, 7];
      const machines = [{ name: "one", label, processes, environment }];
      const folder = join(workspace, `${label.replace(".", "-")}-1a2b3c4d`);
      await mkdir(folder);
      const text = JSON.stringify({ ...record, machines, definitions, cells });
      await writeFile(join(folder, "record.json"), text);
    }
    const { code, stdout, stderr } = await classes();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^## Classes of machines\n/);
    const rows = stdout.split("\n").filter((line) => /^\| (c7g|m7i)\.large /.test(line));
    expect(rows).toHaveLength(2 * record.claims.length);
    const labels = rows.map((row) => row.split("|")[1]?.trim());
    expect(labels.slice(0, 4)).toEqual(["c7g.large", "m7i.large", "c7g.large", "m7i.large"]);
    expect(stdout).toContain("**overhead**: ");
  });

  it("says what to give where there is nothing", async () => {
    const { code, stdout, stderr } = await classes();
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^INVALID_RECORD: There is no record under .*--fleet/);
  });
});
