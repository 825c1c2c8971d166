import type { ResultRecord } from "@streamgauge/bench/record";
import { readFile, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { chartNames, type Chart } from "../charts/chart.js";
import { chartsOf } from "../charts/charts-of.js";
import { renderSvg } from "../charts/render-svg.js";
import { isForeignFile, type OwnFile } from "../files/own-files.js";
import { chartsFolder } from "../sections/pictures.js";

/** The charts that a document shows beside it. */
export async function chartFiles(
  record: ResultRecord,
  document: string,
  others: readonly Chart[] = [],
): Promise<OwnFile[]> {
  const expected = await expectedFiles(record, document, others);
  return expected.flatMap(({ path, svg }) => (svg === undefined ? [] : [{ path, text: svg }]));
}

/** Removes the charts of an earlier record that this one has no data for. Files of others stay. */
export async function removeLeftCharts(
  record: ResultRecord,
  document: string,
  others: readonly Chart[] = [],
): Promise<void> {
  for (const { path, svg } of await expectedFiles(record, document, others)) {
    if (svg === undefined && !(await isForeignFile(path))) await rm(path, { force: true });
  }
}

/** The charts beside a document that are not what the record says: stale, missing, or too many. */
export async function staleCharts(
  record: ResultRecord,
  document: string,
  others: readonly Chart[] = [],
): Promise<string[]> {
  const stale: string[] = [];
  for (const { path, svg } of await expectedFiles(record, document, others)) {
    const actual = await readFile(path, "utf8").catch(() => undefined);
    if (actual !== svg) stale.push(path);
  }
  return stale;
}

/** For each chart there could be its file, and its content where there is one. */
async function expectedFiles(
  record: ResultRecord,
  document: string,
  others: readonly Chart[],
): Promise<readonly { readonly path: string; readonly svg: string | undefined }[]> {
  const folder = join(dirname(document), ...chartsFolder.split("/"));
  const charts = [...chartsOf(record), ...others];
  // Those of classes of machines that have no history any more are not to stay.
  const drawn = (await readdir(folder).catch(() => []))
    .filter((name) => /^history-.*\.svg$/.test(name))
    .map((name) => name.slice(0, -".svg".length));
  const names = new Set([...chartNames, ...charts.map(({ name }) => name), ...drawn]);
  return Promise.all(
    [...names].map(async (name) => {
      const chart = charts.find((candidate) => candidate.name === name);
      return { path: join(folder, `${name}.svg`), svg: chart && (await renderSvg(chart)) };
    }),
  );
}
