import type { Cell, ResultRecord } from "@streamgauge/bench/record";
import { chartsOfCell } from "../charts/charts-of.js";
import { figures } from "./html-figures.js";
import { cellTable, latencyTable } from "./html-sections.js";
import { escapeXml } from "./html-text.js";
import { mostBytes, omissions, type PageDetail } from "./page-detail.js";
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
<span class="muted">It chooses verdicts, cells and runs; the charts above are of all scenarios.</span></div>
${omitted === "" ? "" : `<p>${escapeXml(omitted)}</p>`}
<h3>Comparisons</h3>
${cellTable(record)}
<h3>Latencies</h3>
${latencyTable(record)}
${await sections(record, detail)}
</section>`;
}

async function sections(record: ResultRecord, detail: PageDetail): Promise<string> {
  let text = "";
  for (const cell of record.cells) {
    text += await section(record, cell, detail);
    // Too much already: the page is drawn again with less.
    if (text.length > mostBytes) break;
  }
  return text;
}

async function section(record: ResultRecord, cell: Cell, { points }: PageDetail): Promise<string> {
  const charts = points === undefined ? "" : await figures(chartsOfCell(cell, points));
  return `<section class="cell" data-scenario="${scenarioIndex(record, cell)}"><h3>${escapeXml(cell.id)}</h3>
${charts}</section>\n`;
}
