import { treatments, type ResultRecord } from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { escapeXml } from "../text/html-text.js";
import type { PageDetail } from "./page-detail.js";
import { scenarioIndex } from "./scenarios.js";

const head = [
  "block",
  "process",
  "mode",
  "end-to-end, ms",
  "first token, ms",
  "per output token, ms",
  "CPU, ms",
];

/** The table of single runs, which the script fills. */
export function runs(record: ResultRecord, detail: PageDetail): string {
  if (record.cells.length === 0) return emptyControls;
  const most = mostBlocks(record, detail);
  const isCut = record.cells.some(({ blocks: { length } }) => length > most);
  const cut = isCut ? ` At most ${most} blocks of each cell; the record has all.` : "";
  return `<section aria-labelledby="runs" data-needs-script hidden>
<h2 id="runs">Each run</h2>
<details><summary>Times of single runs</summary>
<div class="pager"><label for="cell">Cell</label> <select id="cell"></select>
<button type="button" id="previous">Previous</button> <button type="button" id="next">Next</button>
<span id="page" role="status"></span></div>
<div class="scroll" role="region" tabindex="0" aria-labelledby="runs"><table>
<caption>Runs of the chosen cell, in the order in which they ran.${cut}</caption>
<thead><tr>${head.map((text) => `<th scope="col">${escapeXml(text)}</th>`).join("")}</tr></thead>
<tbody id="rows"></tbody></table></div>
</details></section>`;
}

/** What the script looks for, where there is nothing to choose from. */
const emptyControls =
  '<div hidden><select id="cell"></select><button id="previous"></button><button id="next"></button>' +
  '<span id="page"></span><table><tbody id="rows"></tbody></table></div>';

/** What the script fills the table with. */
export function runData(record: ResultRecord, detail: PageDetail): object {
  const milliseconds = (nanoseconds: number | null): number | null =>
    nanoseconds === null ? null : Number((nanoseconds / 1e6).toFixed(3));
  const cells = record.cells.map((cell) => ({
    cell: cell.id,
    scenario: scenarioIndex(record, cell),
    rows: cell.blocks
      .slice(0, mostBlocks(record, detail))
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
  return { modes: treatments.map((treatment) => modeNames[treatment]), cells };
}

/** How many of a cell's blocks the page has room for. */
function mostBlocks({ cells: { length } }: ResultRecord, { runs: most }: PageDetail): number {
  return Math.floor(most / treatments.length / Math.max(1, length));
}
