import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";

/** A file that a report writes as a whole. */
export interface OwnFile {
  readonly path: string;
  readonly text: string;
}

/** The line by which a Markdown file is known as written by a report. */
export const generatedByReport =
  "<!-- Written by `pnpm report` from a result record. Do not edit: run it again. -->";

/** The element by which a page is known, within its first lines. */
export const pageGenerator = '<meta name="generator" content="streamgauge-report">';

/** What a changeset begins with. It has no comment, because its text goes into a changelog. */
export const changesetOpening =
  '---\n"@streamgauge/runtime": patch\n---\n\nWhat streaming costs, as it was measured (';

/** In how many first lines a marker is looked for. */
const markedLines = 8;

/** Whether a report wrote a text: a marker in its first lines, or a chart's opening, tells. */
export function isOwnText(text: string): boolean {
  const opening = text.split("\n", markedLines).join("\n");
  return (
    opening.includes(generatedByReport) ||
    opening.includes(pageGenerator) ||
    text.startsWith(changesetOpening) ||
    /^<svg [^>]*class="marks"[^>]* role="img"><title>/.test(text)
  );
}

/** Whether there is a file that a report did not write. */
export async function isForeignFile(path: string): Promise<boolean> {
  const there = await readFile(path, "utf8").catch(() => "");
  return there !== "" && !isOwnText(there);
}

/**
 * Writes files with their folders. All are checked first, so that a refusal leaves none written.
 *
 * @returns their paths
 * @throws StreamgaugeError `FOREIGN_FILE` where one would overwrite a file that no report wrote
 */
export async function writeOwnFiles(files: readonly OwnFile[]): Promise<string[]> {
  for (const { path, text } of files) {
    if (!(await isForeignFile(path)) || (await readFile(path, "utf8")) === text) continue;
    throw new StreamgaugeError(
      "FOREIGN_FILE",
      `${path} was not written by a report, and is left as it is. ` +
        "Move it away, or name another file.",
    );
  }
  for (const { path, text } of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return files.map(({ path }) => path);
}
