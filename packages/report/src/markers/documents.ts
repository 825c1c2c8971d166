import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { Chart } from "../charts/chart.js";
import { chartsOf } from "../charts/charts-of.js";
import { findCommitted } from "../files/committed-results.js";
import type { FoundRecord } from "../files/find-record.js";
import { chartsFolder, picture } from "../sections/pictures.js";
import { UnavailableFigureError } from "./figure.js";
import { renderMarker } from "./figures.js";
import { fillMarkers, type Filled } from "./fill-markers.js";
import type { RecordShelf } from "./record-shelf.js";

/** What the numbers mean, in prose; `BENCHMARKS.md` links to it. */
const analysis = "docs/STREAMING_PERFORMANCE.md";

/** What people write and records fill, relative to the folder of `BENCHMARKS.md`. */
export const markedDocuments: readonly string[] = [
  "README.md",
  "CHANGELOG.md",
  analysis,
  "packages/core/src/generator.ts",
];

/** A document as it is, and as it should be. */
export interface MarkedDocument extends Filled {
  readonly path: string;
  /** Of records other than the report's, for the files beside the document. */
  readonly charts: readonly Chart[];
}

/**
 * Reads the marked documents of a folder, as many of them as there are, and fills
 * them; nothing is written.
 */
export async function readDocuments(
  folder: string,
  report: FoundRecord,
): Promise<readonly MarkedDocument[]> {
  const texts = await Promise.all(
    markedDocuments.map(async (name) => {
      const path = join(folder, name);
      return { path, text: await readFile(path, "utf8").catch(() => "") };
    }),
  );
  const marked = texts.filter(({ text }) => text.includes("<!-- sg:"));
  if (marked.length === 0) return [];
  const others = await findCommitted(join(folder, "results"));
  return marked.map(({ path, text }) => fill(folder, path, text, { report, others }));
}

/** The analysis as `BENCHMARKS.md` links to it; undefined where there is none. */
export function analysisAmong(
  folder: string,
  documents: readonly MarkedDocument[],
): string | undefined {
  return documents.some(({ path }) => path === join(folder, analysis)) ? analysis : undefined;
}

/** Writes the documents that change, and returns their paths. */
export async function writeDocuments(documents: readonly MarkedDocument[]): Promise<string[]> {
  const changed = documents.filter(({ stale }) => stale.length > 0);
  await Promise.all(changed.map(({ path, text }) => writeFile(path, text)));
  return changed.map(({ path }) => path);
}

/** What is wrong with the documents: a paragraph for each marker, with file and line. */
export function describeProblems(
  documents: readonly MarkedDocument[],
  { path: report }: FoundRecord,
): string[] {
  return documents.flatMap(({ path, stale, problems }) => [
    ...problems.map(({ line, marker, message }) => `${path}:${line}: ${marker}\n${message}`),
    ...stale.map(
      ({ line, marker, actual, expected }) =>
        `${path}:${line}: ${marker} is not what the record says.\n` +
        `- ${firstLineThatDiffers(actual, expected)}\n+ ${firstLineThatDiffers(expected, actual)}\n` +
        `Fill it: pnpm report --record ${report}`,
    ),
  ]);
}

function fill(folder: string, path: string, text: string, shelf: RecordShelf): MarkedDocument {
  const charts: Chart[] = [];
  const link = (target: string): string =>
    encodeURI(relative(dirname(path), target).split(sep).join("/"));
  const chart = (name: string): string => {
    const own = chartNamed(shelf.report, name);
    const found = own ?? firstOf(shelf.others.map((other) => () => chartNamed(other, name)));
    if (found === undefined) {
      throw new UnavailableFigureError(`No record here draws a chart "${name}".`);
    }
    if (own === undefined) charts.push(found);
    return picture(found, link(join(folder, chartsFolder)));
  };
  const filled = fillMarkers(text, (marker) => renderMarker(marker, shelf, { link, chart }));
  return { ...filled, path, charts };
}

function chartNamed({ record }: FoundRecord, name: string): Chart | undefined {
  return chartsOf(record).find((candidate) => candidate.name === name);
}

function firstOf<T>(makers: readonly (() => T | undefined)[]): T | undefined {
  for (const make of makers) {
    const made = make();
    if (made !== undefined) return made;
  }
  return undefined;
}

function firstLineThatDiffers(text: string, other: string): string {
  const others = other.split("\n");
  return text.split("\n").find((line, index) => line !== others[index]) ?? "(nothing)";
}
