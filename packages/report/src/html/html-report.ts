import type { ResultRecord } from "@streamgauge/bench/record";
import { chartsOf } from "../charts/charts-of.js";
import { answer } from "./html-answer.js";
import { describeMachine } from "./describe-machine.js";
import { cells, weightOfCharts } from "./html-cells.js";
import { figures } from "./html-figures.js";
import { runData, runs } from "./html-runs.js";
import { definitions, verdictTables } from "./html-sections.js";
import { escapeXml, jsonForScript } from "../text/html-text.js";
import { mostBytes, pageDetails, withoutCellCharts, type PageDetail } from "./page-detail.js";
import { htmlPage, type PageParts } from "./page.js";
import { pageScript } from "./page-script.js";

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
  return htmlPage({
    title: `streamgauge report, ${record.startedAt}`,
    heading: "What streaming costs",
    about: `${machine(record)}
${about(record)}`,
    skip: { id: "answer", text: "To the answer" },
    sections: sectionsOf(record),
    main: `${answer(record)}
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
${definitions(record.definitions)}`,
    footer: "Made by streamgauge from a record, which has every number.",
    script: { text: pageScript, data: jsonForScript(runData(record, detail)) },
  });
}

function about({ startedAt, endedAt, profile, seed, status }: ResultRecord): string {
  return `<p class="muted">${escapeXml(
    `Run of ${startedAt} to ${endedAt ?? "?"}, profile ${profile}, seed ${seed}, ${status}.`,
  )}</p>`;
}

/** The sections that there are. */
function sectionsOf({ cells: all }: ResultRecord): PageParts["sections"] {
  return [
    ["answer", "Answer"],
    ["verdicts", "Verdicts"],
    ["charts", "Charts"],
    ["cells", "Scenarios"],
    ...(all.length === 0 ? [] : [["runs", "Each run"] as const]),
    ["definitions", "What the numbers mean"],
  ];
}

function machine({ environment }: ResultRecord): string {
  return `<p>${escapeXml(`${describeMachine(environment)}.`)}</p>`;
}
