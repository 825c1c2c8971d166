import type { ResultRecord } from "@streamgauge/bench/record";
import { engineVerdicts, firstAndNextToken, verdicts } from "@streamgauge/bench/tables";
import type { CommittedResults } from "../files/committed-results.js";
import { generatedByReport } from "../files/own-files.js";
import { escapeMarkdown } from "../text/markdown-text.js";
import { newestEngine, sourceOfEngine } from "./engine.js";
import { introduction, warnings } from "./introduction.js";
import { machineInBrief, reproduction } from "./machine.js";
import { renderPages } from "./pages.js";
import { picture, chartsFolder } from "./pictures.js";
import { briefSection } from "./section.js";
import { tokenTimesSection } from "./token-times.js";
import { overheadForest } from "../charts/overhead-forest.js";

/**
 * Renders a record as two screens: cost by the time of a token, verdicts, the chart, the time to the first and to the next
 * token, the engine, the machine, how to reproduce it; and where the rest is. Every number and
 * verdict is the record's; the same record gives the same bytes.
 *
 * @param analysis path of a document that says what the numbers mean, for a link to it
 * @param committed what was committed beside the record
 * @param pages folder of the pages with the rest, relative to the document
 */
export function renderBenchmarks(
  record: ResultRecord,
  analysis?: string,
  committed: CommittedResults = {},
  pages?: string,
): string {
  const chart = overheadForest(record);
  const { engine, from } = newestEngine(record, committed);
  const sections = [
    "# Benchmarks",
    generatedByReport,
    introduction(record),
    warnings(record),
    analysis === undefined ? "" : `[What follows from these numbers](${encodeURI(analysis)}).`,
    tokenTimesSection(record),
    ...verdicts(record).map((table) => briefSection(table)),
    chart === undefined ? "" : picture(chart, chartsFolder),
    briefSection(firstAndNextToken(record)),
    briefSection(engineVerdicts(engine), from === undefined ? [] : [sourceOfEngine(from)]),
    machineInBrief(record),
    reproduction(record),
    whereTheRestIs(record, committed, pages),
  ];
  return `${sections.filter((part) => part !== "").join("\n\n")}\n`;
}

function whereTheRestIs(
  record: ResultRecord,
  committed: CommittedResults,
  folder = "pages",
): string {
  const links = renderPages(record, committed).map(
    ({ name, about }) => `[${name}](${encodeURI(`${folder}/${name}`)}): ${escapeMarkdown(about)}`,
  );
  if (links.length === 0) return "";
  return [
    "## More tables",
    "`pnpm report --pages` writes every table, each number with its definition, beside the record. " +
      "Git does not keep these pages: the links open once you have run it.",
    links.map((link) => `- ${link}`).join("\n"),
  ].join("\n\n");
}
