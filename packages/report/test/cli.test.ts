import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import {
  chartsOf,
  renderBenchmarks,
  renderChangelogSnippet,
  renderChangeset,
  renderHtmlReport,
  renderPages,
} from "@streamgauge/report";
import { fixtureRecord } from "./fixture.js";
import { vllm } from "./foreign-files.js";
import { runReport } from "./run-report.js";

let workspace: string;
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "streamgauge-report-"));
  await put("package.json", JSON.stringify({ name: "streamgauge-workspace" }));
});
afterEach(async () => {
  await rm(workspace, { recursive: true });
});

const report = (...flags: string[]) => runReport(workspace, ...flags);

/** A file that a report wrote for an earlier record. */
const earlierChart =
  '<svg xmlns="http://www.w3.org/2000/svg" class="marks" width="1" role="img"><title>Of old</title></svg>';

function git(...words: string[]): Promise<void> {
  return new Promise((done, fail) => {
    execFile("git", words, { cwd: workspace }, (error) => {
      if (error === null) done();
      else fail(error);
    });
  });
}

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(workspace, path)), { recursive: true });
  await writeFile(join(workspace, path), content);
}

async function putRecord(name: string, changes: Partial<ResultRecord>): Promise<ResultRecord> {
  const record = { ...(await fixtureRecord()), profile: "full", ...changes };
  await put(`results/${name}/record.json`, JSON.stringify(record));
  return record;
}

/** The test runner writes the text of functions in its own way. */
function withoutScript(page: string): string {
  return page.replaceAll(/<script>.*?<\/script>|script-src '[^']*'/gs, "");
}

describe("streamgauge-report", () => {
  it("writes the documents from the newest committed record of profile full", async () => {
    await putRecord("older", { startedAt: "2026-01-01T00:00:00.000Z" });
    const newest = await putRecord("newer", { startedAt: "2026-02-01T00:00:00.000Z" });
    await putRecord("standard", { startedAt: "2026-03-01T00:00:00.000Z", profile: "standard" });
    await putRecord("crashed", { startedAt: "2026-03-01T00:00:00.000Z", status: "running" });
    await putRecord("engine", { startedAt: "2026-03-01T00:00:00.000Z", cells: [] });
    await putRecord("local/mine", { startedAt: "2026-04-01T00:00:00.000Z" });
    await git("init", "--quiet");
    await git("add", "results", ":!results/local");
    await putRecord("not-added", { startedAt: "2026-05-01T00:00:00.000Z" });
    const { code, stdout, stderr } = await report();
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringMatching(/from results.newer.record\.json\.\n$/),
    });
    expect(stdout).toBe(renderChangelogSnippet(newest));
    expect(await readFile(join(workspace, "BENCHMARKS.md"), "utf8")).toBe(
      renderBenchmarks(newest, undefined, {}, "results/newer/pages"),
    );
    expect(await readdir(join(workspace, "results/newer"))).toEqual(["record.json"]);
    expect(await report("--check")).toMatchObject({ code: 0, stderr: "" });
  });

  it.each([
    ["--local", "local/mine"],
    ["--record=results/local/mine", "local/mine"],
    ["--record=results/not-added", "not-added"],
  ])("renders a run of one's own into its own folder: %s", async (flag, folder) => {
    await putRecord("reference", { startedAt: "2026-01-01T00:00:00.000Z" });
    const readme = "on <!-- sg:date -->?<!-- /sg -->\n";
    await put("README.md", readme);
    await git("init", "--quiet");
    await git("add", ".");
    const mine = await putRecord(folder, { startedAt: "2026-03-01T00:00:00.000Z" });
    const { code, stdout } = await report(flag);
    expect(code).toBe(0);
    const own = join(workspace, "results", folder);
    expect(await readFile(join(own, "BENCHMARKS.md"), "utf8")).toBe(
      renderBenchmarks(mine, undefined, {}, "pages"),
    );
    expect(await readdir(join(own, "docs/charts"))).toContain("overhead.svg");
    expect(await readFile(join(own, "changelog.md"), "utf8")).toBe(
      `<!-- Written by \`pnpm report\` from a result record. Do not edit: run it again. -->\n\n${stdout}`,
    );
    expect(await readFile(join(workspace, "README.md"), "utf8")).toBe(readme);
    expect((await readdir(workspace)).toSorted()).toEqual([
      ".git",
      "README.md",
      "package.json",
      "results",
    ]);
    const refused = await report(flag, "--out", "BENCHMARKS.md");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^NOT_COMMITTED: results.*record\.json is not in git, .*`git add`/,
    );
    expect(await report(flag, "--check")).toMatchObject({ code: 0 });
  });

  it("needs to be told the document outside of the workspace", async () => {
    const record = await putRecord("reference", {});
    await put("package.json", JSON.stringify({ name: "somebody-elses" }));
    const { code, stdout, stderr } = await report();
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^OUT_REQUIRED: .*--out <path>.*--html <file>\.\n$/);
    expect(await report("--out", "new/folder/costs.md")).toMatchObject({ code: 0 });
    expect(await readFile(join(workspace, "new/folder/costs.md"), "utf8")).toBe(
      renderBenchmarks(record, undefined, {}, "../../results/reference/pages"),
    );
  });

  it.each([
    ["README.md", ["--out", "README.md"]],
    ["page.html", ["--html", "page.html"]],
    ["change.md", ["--out", "costs.md", "--changeset", "change.md"]],
    ["docs/charts/overhead.svg", ["--out", "costs.md"]],
    [
      "results/local/mine/changelog.md",
      ["--record", "results/local/mine", "--out", "report/costs.md"],
    ],
  ])("overwrites no file that it did not write: %s", async (path, flags) => {
    await putRecord("reference", {});
    await putRecord("local/mine", {});
    await put("package.json", "{}");
    await put(path, "<svg>by hand</svg>\n");
    const { code, stdout, stderr } = await report(...flags);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^FOREIGN_FILE: .* was not written by a report, .*Move it away/);
    expect(await readFile(join(workspace, path), "utf8")).toBe("<svg>by hand</svg>\n");
    expect(await readdir(workspace)).not.toContain("costs.md");
    await rm(join(workspace, path));
    expect(await report(...flags)).toMatchObject({ code: 0 });
  });

  it("takes a record's folder, and a compressed record", async () => {
    const record = await putRecord("reference", {});
    await report("--record", "results/reference", "--out", "plain.md");
    const file = join(workspace, "results/reference/record.json");
    await writeFile(`${file}.gz`, gzipSync(await readFile(file)));
    await rm(file);
    for (const path of ["reference", "reference/record.json.gz", "reference/record.json"]) {
      const { code, stderr } = await report("--record", `results/${path}`);
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: expect.stringMatching(/from results.reference.record\.json\.gz\./),
      });
    }
    expect((await report("--check")).code).toBe(0);
    const text = await readFile(join(workspace, "plain.md"), "utf8");
    expect(text).toBe(renderBenchmarks(record, undefined, {}, "results/reference/pages"));
    await writeFile(`${file}.gz`, "nothing that unpacks");
    const { code, stderr } = await report("--record", "results/reference");
    expect(code).toBe(1);
    expect(stderr).toMatch(/INVALID_RECORD: .*record\.json\.gz: it does not unpack .* intact copy/);
    expect((await report()).stderr).toMatch(/no committed record of profile full/);
  });

  it("checks a document without touching it", async () => {
    const record = await putRecord("reference", {});
    expect(await report("--check")).toMatchObject({ code: 1 });
    await report();
    expect(await report("--check")).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const stale = renderBenchmarks(record).replace("upheld", "refuted");
    await put("BENCHMARKS.md", stale);
    const { code, stderr } = await report("--check", "--record", "results/reference/record.json");
    expect(code).toBe(1);
    expect(stderr).toMatch(/from line \d+ on:\n- .*refuted.*\n\+ .*upheld/);
    expect(await readFile(join(workspace, "BENCHMARKS.md"), "utf8")).toBe(stale);
  });

  it("writes the charts beside the document, and checks each", async () => {
    const record = await putRecord("reference", {});
    await put("docs/charts/token-ledger.svg", earlierChart);
    await put("docs/charts/own.svg", "<svg/>");
    const stale = await report("--check");
    expect(stale.code).toBe(1);
    expect(stale.stderr).toMatch(/overhead\.svg.*token-ledger\.svg/);
    await report();
    const names = await readdir(join(workspace, "docs/charts"));
    const expected = chartsOf(record).map(({ name }) => `${name}.svg`);
    expect(names.toSorted()).toEqual([...expected, "own.svg"].toSorted());
    const text = await readFile(join(workspace, "BENCHMARKS.md"), "utf8");
    expect(text).toContain("](docs/charts/overhead.svg)");
    await put("docs/charts/overhead.svg", "<svg>edited by hand</svg>");
    const edited = await report("--check");
    expect(edited.code).toBe(1);
    expect(edited.stderr).toMatch(/Not what .*record\.json says: \S*overhead\.svg\.\n/);
  });

  it("writes every table beside the record when asked, and links to it", async () => {
    const record = await putRecord("reference", {});
    expect(await report("--pages")).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(join("results", "reference", "pages", "costs.md")),
    });
    const folder = join(workspace, "results/reference/pages");
    const pages = renderPages(record);
    expect((await readdir(folder)).toSorted()).toEqual(pages.map(({ name }) => name).toSorted());
    for (const { name, text } of pages) {
      expect(await readFile(join(folder, name), "utf8")).toBe(text);
    }
    const benchmarks = await readFile(join(workspace, "BENCHMARKS.md"), "utf8");
    for (const { name } of pages) {
      expect(benchmarks).toContain(`](results/reference/pages/${name})`);
    }
    for (const [, chart = ""] of pages
      .map(({ text }) => text)
      .join("")
      .matchAll(/\]\((\S+\.svg)\)/g)) {
      expect(await readFile(join(folder, chart), "utf8")).toContain("<svg");
    }
    expect(await report("--pages", "--check")).toMatchObject({ code: 1 });
  });

  it("fills the markers of documents beside the document, and checks them", async () => {
    const record = await putRecord("reference", {});
    await put("README.md", "on <!-- sg:date -->?<!-- /sg -->\n");
    await report();
    expect(await readFile(join(workspace, "README.md"), "utf8")).toBe(
      `on <!-- sg:date -->${record.startedAt.slice(0, 10)}<!-- /sg -->\n`,
    );
    expect(await report("--check")).toMatchObject({ code: 0, stderr: "" });
    await put("README.md", "on <!-- sg:date -->2026-12-24<!-- /sg -->\n");
    const edited = await report("--check");
    expect(edited.code).toBe(1);
    expect(edited.stderr).toMatch(/^README\.md:1: <!-- sg:date --> .*\n- 2026-12-24\n\+ 2026/);
    await put("README.md", "on <!-- sg:day -->1<!-- /sg -->\n");
    expect(await report()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no figure "day"'),
    });
    expect(await report("figures")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("date\n    day of the run"),
    });
  });

  it("writes a changeset against the record of the release before", async () => {
    const previous = await putRecord("old", { startedAt: "2026-01-01T00:00:00.000Z" });
    const record = await putRecord("new", { startedAt: "2026-02-01T00:00:00.000Z" });
    const flags = ["--changeset", "performance.md", "--previous", "results/old/record.json"];
    expect(await report(...flags)).toMatchObject({ code: 0 });
    const changeset = await readFile(join(workspace, "performance.md"), "utf8");
    expect(changeset).toBe(renderChangeset(record, previous));
    expect(await report(...flags, "--check")).toMatchObject({ code: 1 });
  });

  it("draws what histories were committed, and checks that too", async () => {
    const line = {
      version: 1,
      commit: "a".repeat(40),
      measuredAt: "2026-11-25T04:00:43.680Z",
      machine: "a-cpu",
      runId: "run",
      profile: "quick",
      metrics: { "cell stream µs/token": 100 },
    };
    await putRecord("reference", {});
    await report();
    await put("results/history/a-cpu.jsonl", `${JSON.stringify(line)}\n`);
    await put("docs/charts/history-b-cpu.svg", earlierChart);
    const stale = await report("--check");
    expect(stale.code).toBe(1);
    expect(stale.stderr).toMatch(/history-a-cpu\.svg, \S*history-b-cpu\.svg\./);
    await report();
    expect(await report("--check")).toMatchObject({ code: 0, stderr: "" });
    expect(await readdir(join(workspace, "docs/charts"))).not.toContain("history-b-cpu.svg");
    expect(await readdir(join(workspace, "docs/charts"))).toContain("history-a-cpu.svg");
    await put("results/history/a-cpu.jsonl", "{\n");
    const damaged = await report();
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toMatch(/INVALID_RECORD: .*a-cpu\.jsonl, line 1/);
  });

  it("writes a page, and nothing else", async () => {
    const record = await putRecord("reference", {});
    const { code, stdout, stderr } = await report("--html", "report.html");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("Wrote report.html from");
    const page = await readFile(join(workspace, "report.html"), "utf8");
    expect(withoutScript(page)).toBe(withoutScript(await renderHtmlReport(record)));
    expect((await readdir(workspace)).toSorted()).toEqual([
      "package.json",
      "report.html",
      "results",
    ]);
    const beside = await report("--html", "--record", "results/reference");
    expect(beside.stderr).toMatch(/Wrote results.reference.page\.html from/);
    expect(await readFile(join(workspace, "results/reference/page.html"), "utf8")).toBe(page);
  });

  it("imports what PowerShell redirected, and says when a file is too large", async () => {
    await writeFile(join(workspace, "run.json"), `\uFEFF${JSON.stringify(vllm)}`, "utf16le");
    expect((await report("import", "run.json")).stdout).toContain("2 requests; 1 failed");
    await put("huge.jsonl", "");
    await truncate(join(workspace, "huge.jsonl"), 513 * 2 ** 20);
    const { code, stderr } = await report("import", "huge.jsonl");
    expect(code).toBe(1);
    expect(stderr).toBe(
      "INVALID_RECORD: huge.jsonl has 513 MiB, and Node.js reads a text of at most 512 MiB. " +
        "Give fewer of its lines (`head -n 10000`), or a run of fewer requests.\n",
    );
  });

  it("explains what is missing", async () => {
    const nothing = await report();
    expect(nothing.code).toBe(1);
    expect(nothing.stderr).toMatch(/INVALID_RECORD: .*no committed record .*--record.*--local/);
    expect((await report("--local")).stderr).toMatch(/INVALID_RECORD: .*run `pnpm turbo bench`/);
    await putRecord("old", { version: 0 as never });
    const old = await report("--record", "results/old/record.json");
    expect(old.stderr).toMatch(/old.record\.json: .*version 0.*run the bench again/);
  });

  it("has help, and refuses what it does not know", async () => {
    const help = await report("--help");
    expect(help.code).toBe(0);
    expect(help.stdout).toContain("$ streamgauge-report --record");
    const unknown = await report("--pdf");
    expect(unknown).toMatchObject({ code: 1, stdout: "" });
    expect(unknown.stderr).toContain("unknown option '--pdf'");
    const both = await report("--html", "report.html", "--check");
    expect(both.code).toBe(1);
    expect(both.stderr).toContain("'--html [file]' cannot be used with option '--check'");
  });
});
