import { treatments, type ResultRecord } from "@streamgauge/bench/record";
import { createHash } from "node:crypto";
import type { Chart } from "../charts/chart.js";
import { chartsOf, chartsOfCell } from "../charts/charts-of.js";
import { renderInlineSvg } from "../charts/render-svg.js";
import { modeNames } from "../mode-names.js";
import { cellTable, latencyTable, verdictTable } from "./html-sections.js";
import { escapeXml, jsonForScript } from "./html-text.js";
import { pageScript } from "./page-script.js";
import { pageStyle } from "./page-style.js";
import { scenarioIndex, scenariosOf } from "./scenarios.js";

/**
 * Renders a record as a page in one file: verdicts first, charts, the cells by
 * scenario, each run. It asks nothing of a network, and its own policy forbids
 * it to. The same record gives the same bytes.
 */
export async function renderHtmlReport(record: ResultRecord): Promise<string> {
  const digest = createHash("sha256").update(pageScript).digest("base64");
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${digest}'`;
  const title = `streamgauge report, ${record.startedAt}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeXml(title)}</title>
<style>${pageStyle()}</style>
</head>
<body>
<a class="skip" href="#verdicts">To the verdicts</a>
<header>
<h1>What streaming costs</h1>
${about(record)}
</header>
<main>
<section aria-labelledby="verdicts">
<h2 id="verdicts">Verdicts</h2>
${verdictTable(record)}
</section>
<section aria-labelledby="charts">
<h2 id="charts">Charts</h2>
<div class="charts">${(await Promise.all(chartsOf(record).map(figure))).join("\n")}</div>
</section>
${await cells(record)}
${runs(record)}
${definitions(record)}
</main>
<footer class="muted">
${machine(record)}
</footer>
<div id="tip" hidden></div>
<script type="application/json" id="blocks">${jsonForScript({ modes: treatments.map((treatment) => modeNames[treatment]), cells: blocks(record) })}</script>
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

async function figure(chart: Chart): Promise<string> {
  return `<figure>${await renderInlineSvg(chart)}<figcaption>${escapeXml(firstSentence(chart))}</figcaption></figure>`;
}

/** Of the description, which the drawing has all of. */
function firstSentence({ description }: Chart): string {
  return /^.*?[.](?= |$)/.exec(description)?.[0] ?? description;
}

async function cells(record: ResultRecord): Promise<string> {
  const options = scenariosOf(record).map(
    (name, index) => `<option value="${index}">${escapeXml(name)}</option>`,
  );
  const sections = await Promise.all(
    record.cells.map(async (cell) => {
      const figures = await Promise.all(chartsOfCell(cell).map(figure));
      return `<section class="cell" data-scenario="${scenarioIndex(record, cell)}"><h3>${escapeXml(cell.id)}</h3>
<div class="charts">${figures.join("\n")}</div></section>`;
    }),
  );
  return `<section aria-labelledby="cells">
<h2 id="cells">Scenarios</h2>
<div class="filter" data-needs-script hidden><label for="scenario">Scenario</label>
<select id="scenario"><option value="">all</option>${options.join("")}</select>
<span id="shown" class="muted" role="status"></span></div>
<h3>Comparisons</h3>
${cellTable(record)}
<h3>Latencies</h3>
${latencyTable(record)}
${sections.join("\n")}
</section>`;
}

const runHead = [
  "block",
  "process",
  "mode",
  "end-to-end, ms",
  "first token, ms",
  "per output token, ms",
  "CPU, ms",
];

/** The table of single runs, which the script fills. */
function runs(record: ResultRecord): string {
  if (record.cells.length === 0) return emptyControls;
  const most = mostBlocks(record);
  const isCut = record.cells.some(({ blocks: { length } }) => length > most);
  const cut = isCut ? ` At most ${most} blocks of each cell; the record has all.` : "";
  return `<section aria-labelledby="runs" data-needs-script hidden>
<h2 id="runs">Each run</h2>
<div class="pager"><label for="cell">Cell</label> <select id="cell"></select>
<button type="button" id="previous">Previous</button> <button type="button" id="next">Next</button>
<span id="page" role="status"></span></div>
<div class="scroll" role="region" tabindex="0" aria-labelledby="runs"><table>
<caption>Runs of the chosen cell, in the order in which they ran.${cut}</caption>
<thead><tr>${runHead.map((text) => `<th scope="col">${escapeXml(text)}</th>`).join("")}</tr></thead>
<tbody id="rows"></tbody></table></div>
</section>`;
}

/** What the script looks for, where there is nothing to choose from. */
const emptyControls =
  '<div hidden><select id="cell"></select><button id="previous"></button><button id="next"></button>' +
  '<span id="page"></span><table><tbody id="rows"></tbody></table></div>';

/** Of all cells together, so that the page stays one that can be sent by mail. */
const mostRuns = 24_000;

function blocks(record: ResultRecord): object[] {
  const milliseconds = (nanoseconds: number | null): number | null =>
    nanoseconds === null ? null : Number((nanoseconds / 1e6).toFixed(3));
  return record.cells.map((cell) => ({
    cell: cell.id,
    scenario: scenarioIndex(record, cell),
    rows: cell.blocks
      .slice(0, mostBlocks(record))
      .flatMap(({ index, process = 0, runs: each }) =>
        each.map((run) => [
          index,
          process,
          treatments.indexOf(run.treatment),
          milliseconds(run.endToEndNanoseconds),
          milliseconds(run.timeToFirstTokenNanoseconds),
          milliseconds(run.timePerOutputTokenNanoseconds),
          Number((run.cpuMicroseconds / 1e3).toFixed(2)),
        ]),
      ),
  }));
}

/** How many of a cell's blocks the page has room for. */
function mostBlocks({ cells: { length } }: ResultRecord): number {
  return Math.floor(mostRuns / treatments.length / Math.max(1, length));
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
  const commit = git === null ? "" : `, commit ${git.commit}${git.dirty ? " with changes" : ""}`;
  return `<p>${escapeXml(
    `${cpuModel}, ${logicalCores} logical cores, ${operatingSystem}, Node ${nodeVersion}${commit}.`,
  )}</p>`;
}
