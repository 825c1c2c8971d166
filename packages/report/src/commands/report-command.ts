import { printable } from "@streamgauge/bench/tables";
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { Command, Option } from "commander";
import { renderChangelogSnippet, renderChangeset } from "../sections/changelog.js";
import { chartFiles, removeLeftCharts, staleCharts } from "./chart-files.js";
import { chooseRecord, chooseTarget, type ReportTarget } from "./report-target.js";
import { historyTrends } from "../charts/history-trend.js";
import { readCommittedResults, type CommittedResults } from "../files/committed-results.js";
import { readRecord, type FoundRecord } from "../files/find-record.js";
import { generatedByReport, writeOwnFiles, type OwnFile } from "../files/own-files.js";
import { renderHtmlReport } from "../html/html-report.js";
import { renderBenchmarks } from "../sections/benchmarks.js";
import { renderPages } from "../sections/pages.js";
import { chartsFolder } from "../sections/pictures.js";
import {
  analysisAmong,
  describeProblems,
  markedDocuments,
  readDocuments,
  writeDocuments,
  type MarkedDocument,
} from "../markers/documents.js";

interface ReportFlags {
  readonly record?: string;
  readonly local?: true;
  readonly out?: string;
  readonly html?: string | true;
  readonly changeset?: string;
  readonly previous?: string;
  readonly pages?: true;
  readonly check?: true;
}

/** The `streamgauge-report` command line. */
export function reportCommand(): Command {
  return new Command("streamgauge-report")
    .description(
      "Turn a record of the bench into BENCHMARKS.md with charts, numbers in other documents, " +
        "a CHANGELOG entry, or an HTML page.",
    )
    .option(
      "--record <path>",
      "the record's file or folder (default: the newest committed one of profile full)",
    )
    .addOption(new Option("--local", "your own newest run under results/local").conflicts("record"))
    .option("--out <path>", "the document to write (default: see below)")
    .addOption(
      new Option(
        "--html [file]",
        "write only an HTML page: one file that needs no network (default: page.html beside the record)",
      ).conflicts(["check", "out"]),
    )
    .addOption(
      new Option("--changeset <file>", "also write the changelog entry as a changeset").conflicts([
        "check",
        "html",
      ]),
    )
    .addOption(
      new Option(
        "--previous <path>",
        "compare the changelog entry with this record of the release before",
      ).conflicts(["check", "html"]),
    )
    .addOption(
      new Option(
        "--pages",
        "also write every table, a page for each subject, to the folder pages beside the record",
      ).conflicts(["check", "html"]),
    )
    .option(
      "--check",
      "write nothing; exit with 1 if a document, a marker in one or a chart is not up to date",
    )
    .showHelpAfterError("Add --help for the options and examples.")
    .addHelpText(
      "after",
      `
What it writes without --out:
  for a committed record (git tracks it): BENCHMARKS.md of this workspace, and the markers in
  ${markedDocuments.join(",\n  ")}, such as
  <!-- sg:overhead cell=… mode=… -->4.3 %<!-- /sg -->; \`figures\` lists what a marker can ask for;
  for a run of your own: BENCHMARKS.md in the run's folder, and nothing else.
Outside this workspace you need --out. It never overwrites a file that no report wrote.

Charts go to docs/charts beside the document. The changelog entry goes to standard output, and for a
run of your own also to changelog.md beside the record. The document is short; --pages writes every
table.
--html takes the newest finished record, yours too, unless you name one.

Examples:
  $ streamgauge-report
  $ streamgauge-report --check
  $ streamgauge-report --local
  $ streamgauge-report --record results/reference --out report/BENCHMARKS.md
  $ streamgauge-report --changeset .changeset/performance.md --previous results/reference
  $ streamgauge-report --pages
  $ streamgauge-report --html report.html
  $ streamgauge-report --html --record results/mine`,
    )
    .action(async (flags: ReportFlags) => {
      if (flags.html !== undefined) {
        const found = await chooseRecord(flags, tell);
        await writePage(found, flags.html === true ? pageBeside(found.path) : flags.html);
        return;
      }
      const target = await chooseTarget(flags, tell);
      process.exitCode = flags.check === true ? await check(target) : await write(target, flags);
    });
}

async function write(
  { found, out, fills }: ReportTarget,
  { changeset, previous, pages }: ReportFlags,
): Promise<number> {
  const { record, path } = found;
  const documents = fills ? await readDocuments(dirname(out), found) : [];
  const committed = await readCommittedResults(out);
  const before = previous === undefined ? undefined : (await readRecord(previous)).record;
  const snippet = renderChangelogSnippet(record, before);
  const charts = chartsOfOthers(documents, committed);
  // A committed record's folder has nothing but the record.
  const snippetFile = join(dirname(path), "changelog.md");
  const written = await writeOwnFiles([
    { path: out, text: benchmarks(found, out, documents, committed) },
    ...(fills ? [] : [{ path: snippetFile, text: `${generatedByReport}\n\n${snippet}` }]),
    ...(changeset === undefined
      ? []
      : [{ path: changeset, text: renderChangeset(record, before) }]),
    ...(await chartFiles(record, out, charts)),
    ...(pages === undefined ? [] : pageFiles(found, out, committed)),
  ]);
  await removeLeftCharts(record, out, charts);
  const filled = await writeDocuments(documents);
  process.stdout.write(snippet);
  tell(`Wrote ${[...written, ...filled].join(", ")} from ${path}.`);
  const problems = describeProblems(
    documents.map((document) => ({ ...document, stale: [] })),
    found,
  );
  for (const problem of problems) tell(problem);
  return problems.length === 0 ? 0 : 1;
}

function benchmarks(
  { record, path }: FoundRecord,
  out: string,
  documents: readonly MarkedDocument[],
  committed: CommittedResults,
): string {
  const pages = linkFrom(dirname(out), pagesBeside(path));
  return renderBenchmarks(record, analysisAmong(dirname(out), documents), committed, pages);
}

function pageFiles(
  { record, path }: FoundRecord,
  out: string,
  committed: CommittedResults,
): OwnFile[] {
  const folder = pagesBeside(path);
  const charts = linkFrom(folder, join(dirname(out), ...chartsFolder.split("/")));
  return renderPages(record, committed, charts).map(({ name, text }) => ({
    path: join(folder, name),
    text,
  }));
}

function pagesBeside(record: string): string {
  return join(dirname(record), "pages");
}

/** As a link in a document of the folder. */
function linkFrom(folder: string, target: string): string {
  return relative(folder, target).split(sep).join("/");
}

function chartsOfOthers(
  documents: readonly MarkedDocument[],
  { histories }: CommittedResults,
): MarkedDocument["charts"] {
  return [...documents.flatMap(({ charts }) => charts), ...historyTrends(histories)];
}

function pageBeside(record: string): string {
  return join(dirname(record), "page.html");
}

async function writePage({ record, path }: FoundRecord, file: string): Promise<void> {
  await writeOwnFiles([{ path: file, text: await renderHtmlReport(record) }]);
  tell(`Wrote ${file} from ${path}.`);
}

async function check({ found, out, fills }: ReportTarget): Promise<number> {
  const { record, path } = found;
  const documents = fills ? await readDocuments(dirname(out), found) : [];
  const committed = await readCommittedResults(out);
  const difference = firstDifference(
    await readFile(out, "utf8").catch(() => ""),
    benchmarks(found, out, documents, committed),
  );
  const stale = await staleCharts(record, out, chartsOfOthers(documents, committed));
  const problems = describeProblems(documents, found);
  for (const problem of problems) tell(problem);
  if (stale.length > 0) {
    tell(`Not what ${path} says: ${stale.join(", ")}.\nRender again without --check.`);
  }
  if (difference === undefined) return problems.length + stale.length === 0 ? 0 : 1;
  tell(
    `${out} is not what ${path} says, from line ${difference.line} on:\n` +
      `- ${difference.actual}\n+ ${difference.expected}\n` +
      `Render it again without --check.`,
  );
  return 1;
}

/** The first line in which two texts differ. */
export function firstDifference(
  actual: string,
  expected: string,
): { readonly line: number; readonly actual: string; readonly expected: string } | undefined {
  if (actual === expected) return undefined;
  const actualLines = actual.split("\n");
  const expectedLines = expected.split("\n");
  const longest = Math.max(actualLines.length, expectedLines.length);
  let index = 0;
  while (index < longest && actualLines[index] === expectedLines[index]) index += 1;
  return {
    line: index + 1,
    actual: actualLines[index] ?? "(nothing)",
    expected: expectedLines[index] ?? "(nothing)",
  };
}

function tell(message: string): void {
  process.stderr.write(`${printable(message)}\n`);
}
