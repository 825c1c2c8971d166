import type { ResultRecord } from "@streamgauge/bench/record";
import { createHash } from "node:crypto";
import { chartsOf } from "../charts/charts-of.js";
import { pageGenerator } from "../files/own-files.js";
import { answer } from "./html-answer.js";
import { cells, weightOfCharts } from "./html-cells.js";
import { figures } from "./html-figures.js";
import { runData, runs } from "./html-runs.js";
import { verdictTables } from "./html-sections.js";
import { escapeXml, jsonForScript } from "../text/html-text.js";
import { mostBytes, pageDetails, withoutCellCharts, type PageDetail } from "./page-detail.js";
import { pageScript } from "./page-script.js";
import { pageStyle } from "./page-style.js";

/**
 * Renders a record as a page in one file: the answer, verdicts, charts, the cells by
 * scenario, each run. It asks nothing of a network, and its own policy forbids
 * it to. The same record gives the same bytes. It stays below 3 MB: of a large
 * record it shows fewer points and runs, and says so.
 */
export async function renderHtmlReport(record: ResultRecord): Promise<string> {
  for (const detail of pageDetails) {
    const bare = await renderPage(record, { ...detail, points: undefined });
    const charts = await weightOfCharts(record, detail);
    if (Buffer.byteLength(bare) + charts >= mostBytes) continue;
    const page = await renderPage(record, detail);
    if (Buffer.byteLength(page) < mostBytes) return page;
  }
  return renderPage(record, withoutCellCharts);
}

async function renderPage(record: ResultRecord, detail: PageDetail): Promise<string> {
  const digest = createHash("sha256").update(pageScript).digest("base64");
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${digest}'`;
  const title = `streamgauge report, ${record.startedAt}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${pageGenerator}
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeXml(title)}</title>
<style>${pageStyle()}</style>
</head>
<body>
<a class="skip" href="#answer">To the answer</a>
<header>
<h1>What streaming costs</h1>
${machine(record)}
${about(record)}
</header>
${contents(record)}
<main>
${answer(record)}
<section aria-labelledby="verdicts">
<h2 id="verdicts">Verdicts</h2>
${verdictTables(record)}
</section>
<section aria-labelledby="charts">
<h2 id="charts">Charts</h2>
${await figures(chartsOf(record))}
</section>
${await cells(record, detail)}
${runs(record, detail)}
${definitions(record)}
</main>
<footer class="muted"><p>Made by streamgauge from a record, which has every number.</p></footer>
<div id="tip" hidden></div>
<script type="application/json" id="blocks">${jsonForScript(runData(record, detail))}</script>
<script>${pageScript}</script>
</body>
</html>
`;
}

function about({ startedAt, endedAt, profile, seed, status }: ResultRecord): string {
  return `<p class="muted">${escapeXml(
    `Run of ${startedAt} to ${endedAt ?? "?"}, profile ${profile}, seed ${seed}, ${status}.`,
  )}</p>`;
}

/** Links to the sections that there are. */
function contents({ cells: all }: ResultRecord): string {
  const sections = [
    ["answer", "Answer"],
    ["verdicts", "Verdicts"],
    ["charts", "Charts"],
    ["cells", "Scenarios"],
    ...(all.length === 0 ? [] : [["runs", "Each run"] as const]),
    ["definitions", "What the numbers mean"],
  ] as const;
  const links = sections.map(([id, name]) => `<a href="#${id}">${name}</a>`);
  return `<nav aria-label="Contents">${links.join(" ")}</nav>`;
}

function definitions(record: ResultRecord): string {
  const items = record.definitions.map(
    ({ metric, formula }) => `<dt>${escapeXml(metric)}</dt><dd>${escapeXml(formula)}</dd>`,
  );
  return `<section aria-labelledby="definitions"><h2 id="definitions">What the numbers mean</h2>
<details><summary>${items.length} definitions</summary><dl>${items.join("\n")}</dl></details></section>`;
}

function machine({ environment }: ResultRecord): string {
  const { cpuModel, logicalCores, operatingSystem, nodeVersion, git } = environment;
  const commit =
    git === null ? "" : `, commit ${git.commit.slice(0, 12)}${git.dirty ? " with changes" : ""}`;
  return `<p>${escapeXml(
    `${cpuModel}, ${logicalCores} logical cores, ${operatingSystem}, Node ${nodeVersion}${commit}.`,
  )}</p>`;
}
