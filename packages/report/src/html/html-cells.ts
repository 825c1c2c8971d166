import type { Cell, ResultRecord } from "@streamgauge/bench/record";
import { chartsOfCell } from "../charts/charts-of.js";
import { figures } from "./html-figures.js";
import { cellTable, latencyTables } from "./html-sections.js";
import { escapeXml } from "../text/html-text.js";
import { omissions, type PageDetail } from "./page-detail.js";
import { scenarioIndex, scenariosOf } from "./scenarios.js";

/** The cells by scenario: what they compare, their latencies, their charts. */
export async function cells(record: ResultRecord, detail: PageDetail): Promise<string> {
  const options = scenariosOf(record).map(
    (name, index) => `<option value="${index}">${escapeXml(name)}</option>`,
  );
  const omitted = omissions(detail);
  return `<section aria-labelledby="cells">
<h2 id="cells">Scenarios</h2>
<div class="filter" data-needs-script hidden><label for="scenario">Scenario</label>
<select id="scenario"><option value="">all</option>${options.join("")}</select>
<span id="shown" class="muted" role="status"></span>
<span class="muted">Filters verdicts, cells and runs. The charts above show all scenarios.</span></div>
${omitted === "" ? "" : `<p>${escapeXml(omitted)}</p>`}
<details><summary>Comparisons of all modes</summary>
${cellTable(record)}
</details>
<details><summary>Latencies: percentiles of every cell</summary>
${latencyTables(record)}
</details>
${(await Promise.all(scenariosOf(record).map((name) => scenarioSection(record, name, detail)))).join("\n")}
</section>`;
}

/** The cells of a scenario, folded but for the first. */
async function scenarioSection(
  record: ResultRecord,
  name: string,
  detail: PageDetail,
): Promise<string> {
  const own = record.cells.filter(({ scenario }) => scenario === name);
  const index = scenariosOf(record).indexOf(name);
  const sections = await Promise.all(own.map((cell) => section(record, cell, detail)));
  const count = `${own.length} ${own.length === 1 ? "cell" : "cells"}`;
  return `<details class="scenario" data-scenario="${index}"${index === 0 ? " open" : ""}>
<summary>${escapeXml(name)}: ${count}</summary>
${sections.join("\n")}
</details>`;
}

/** How many bytes the charts of all cells take, more or less: as some of them do. */
export async function weightOfCharts(
  { cells: all }: ResultRecord,
  { points }: PageDetail,
): Promise<number> {
  const every = Math.ceil(all.length / 5);
  const sample = all.filter((_, index) => index % every === 0);
  const drawn = await Promise.all(sample.map((cell) => figures(chartsOfCell(cell, points))));
  return (Buffer.byteLength(drawn.join("")) * all.length) / Math.max(1, sample.length);
}

async function section(record: ResultRecord, cell: Cell, { points }: PageDetail): Promise<string> {
  const charts = points === undefined ? "" : await figures(chartsOfCell(cell, points));
  return `<section class="cell" data-scenario="${scenarioIndex(record, cell)}"><h3>${escapeXml(cell.id)}</h3>
${charts}</section>`;
}
