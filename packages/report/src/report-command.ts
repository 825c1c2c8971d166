import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Command, Option } from "commander";
import { renderChangelogSnippet } from "./changelog.js";
import { staleCharts, writeCharts } from "./chart-files.js";
import { findNewestRecord, readRecord, type FoundRecord } from "./find-record.js";
import { renderHtmlReport } from "./html/html-report.js";
import { renderBenchmarks } from "./markdown.js";

interface ReportFlags {
  readonly record?: string;
  readonly out: string;
  readonly html?: string;
  readonly check?: true;
}

/** The `streamgauge-report` command line. */
export function reportCommand(): Command {
  return new Command("streamgauge-report")
    .description(
      "Render a result record as BENCHMARKS.md with charts, as a CHANGELOG snippet, or as a page.",
    )
    .option("--record <path>", "the record.json (default: the newest under results/)")
    .option("--out <path>", "the document to write", "BENCHMARKS.md")
    .addOption(
      new Option(
        "--html <file>",
        "write a page to this file and nothing else: one file that needs no network",
      ).conflicts(["check", "out"]),
    )
    .option("--check", "write nothing; exit with 1 when the document or a chart is not up to date")
    .showHelpAfterError("Add --help for the options and examples.")
    .addHelpText(
      "after",
      `
The snippet goes to standard output and to changelog.md beside the record, the
charts to docs/charts beside the document.

Examples:
  $ streamgauge-report
  $ streamgauge-report --record results/reference/record.json --check
  $ streamgauge-report --html report.html`,
    )
    .action(async (flags: ReportFlags) => {
      const found =
        flags.record === undefined
          ? await findNewestRecord("results", tell)
          : await readRecord(flags.record);
      if (flags.html !== undefined) {
        await writePage(found, flags.html);
        return;
      }
      process.exitCode =
        flags.check === true ? await check(found, flags.out) : await write(found, flags.out);
    });
}

async function write({ record, path }: FoundRecord, out: string): Promise<number> {
  const snippet = renderChangelogSnippet(record);
  const snippetPath = join(dirname(path), "changelog.md");
  await writeFile(out, renderBenchmarks(record));
  await writeFile(snippetPath, snippet);
  const charts = await writeCharts(record, out);
  process.stdout.write(snippet);
  tell(`Wrote ${[out, snippetPath, ...charts].join(", ")} from ${path}.`);
  return 0;
}

async function writePage({ record, path }: FoundRecord, file: string): Promise<void> {
  await writeFile(file, await renderHtmlReport(record));
  tell(`Wrote ${file} from ${path}.`);
}

async function check({ record, path }: FoundRecord, out: string): Promise<number> {
  const difference = firstDifference(
    await readFile(out, "utf8").catch(() => ""),
    renderBenchmarks(record),
  );
  const stale = await staleCharts(record, out);
  if (difference === undefined && stale.length === 0) return 0;
  if (stale.length > 0) {
    tell(`Not what ${path} says: ${stale.join(", ")}.\nRender again without --check.`);
  }
  if (difference === undefined) return 1;
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
  process.stderr.write(`${message}\n`);
}
