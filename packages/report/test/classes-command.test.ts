import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { definitions } from "@streamgauge/bench";
import { widestClaims, type ResultRecord } from "@streamgauge/bench/record";
import { fixtureRecord } from "./fixture.js";
import { runReport } from "./run-report.js";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "streamgauge-classes-"));
});
afterEach(async () => {
  await rm(workspace, { recursive: true });
});

const classes = (...options: readonly string[]) =>
  runReport(workspace, "classes", workspace, ...options);

/** What a run on two classes of machines leaves. */
async function writeClasses(): Promise<ResultRecord> {
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
  return record;
}

describe("streamgauge-report classes", () => {
  it("has a row for each claim and class, those of a claim under each other", async () => {
    const record = await writeClasses();
    const { code, stdout, stderr } = await classes();
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^## Classes of machines\n/);
    const rows = stdout.split("\n").filter((line) => /^\| (c7g|m7i)\.large /.test(line));
    expect(rows).toHaveLength(2 * record.claims.length);
    const labels = rows.map((row) => row.split("|")[1]?.trim());
    expect(labels.slice(0, 4)).toEqual(["c7g.large", "m7i.large", "c7g.large", "m7i.large"]);
    expect(stdout).toContain("**overhead**: ");
  });

  it("writes a page, with a chart and a row of each class for each claim", async () => {
    const record = await writeClasses();
    const file = join(workspace, "classes.html");
    const { code, stdout, stderr } = await classes("--html", file);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toContain(`Wrote ${file}`);
    const page = await readFile(file, "utf8");
    expect(page).toMatch(/^<!doctype html>/);
    expect(page).not.toContain("<script");
    const compared = widestClaims(record.claims).filter(({ metric }) => metric !== "absoluteCost");
    expect(page.match(/<figure>/g)).toHaveLength(compared.length);
    expect(page.match(/<td data-name="machines">m7i\.large<\/td>/g)).toHaveLength(
      record.claims.length,
    );
    // Each chart says in words what it shows of either class.
    expect(page.match(/aria-label="[^"]*\bc7g\.large: [^"]*; m7i\.large: /g)).toHaveLength(
      compared.length,
    );
    // The second time gives the same bytes, over a page of its own.
    expect(await classes("--html", file)).toMatchObject({ code: 0 });
    expect(await readFile(file, "utf8")).toBe(page);
    await writeFile(file, "mine");
    expect(await classes("--html", file)).toMatchObject({ code: 1 });
    expect(await readFile(file, "utf8")).toBe("mine");
  });

  it("says what to give where there is nothing", async () => {
    const { code, stdout, stderr } = await classes();
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^INVALID_RECORD: There is no record under .*--fleet/);
  });
});
