import type { ResultRecord } from "@streamgauge/bench/record";
import { machineClasses, type ClassRecord } from "@streamgauge/bench/tables";
import { classesForests } from "../charts/classes-forest.js";
import { classesOf } from "../sections/classes.js";
import { escapeXml } from "../text/html-text.js";
import { describeMachine } from "./describe-machine.js";
import { figures } from "./html-figures.js";
import { definitions } from "./html-sections.js";
import { htmlTable } from "./html-table.js";
import { htmlPage } from "./page.js";

/**
 * Renders the records of a run on many machines as a page in one file: the classes of machines, a chart
 * for each claim, and the claims of all classes in a table. Classes are never pooled. The same records
 * in the same order give the same bytes.
 *
 * @param records one of each class, at least one; the definitions are those of the first class
 */
export async function renderClassesPage(records: readonly ResultRecord[]): Promise<string> {
  const classes = classesOf(records);
  const [first] = classes;
  if (first === undefined) throw new RangeError("There is no class of machines to render.");
  const table = machineClasses(classes);
  const explained = first.record.definitions.filter(({ metric }) =>
    table.definitions?.includes(metric),
  );
  const charts = classesForests(classes);
  return htmlPage({
    title: `streamgauge, classes of machines, ${first.record.startedAt}`,
    heading: "What streaming costs on each class of machines",
    about: `<p class="muted">Each class was measured by itself, and has a verdict of its own.</p>`,
    skip: { id: "claims", text: "To the claims" },
    sections: [
      ["classes", "Classes"],
      ...(charts.length === 0 ? [] : [["charts", "Charts"] as const]),
      ["claims", "Claims"],
      ["definitions", "What the numbers mean"],
    ],
    main: [
      `<section aria-labelledby="classes">
<h2 id="classes">Classes</h2>
<ul>${classes.map(classItem).join("\n")}</ul>
</section>`,
      charts.length === 0
        ? ""
        : `<section aria-labelledby="charts">
<h2 id="charts">Charts</h2>
${await figures(charts)}
</section>`,
      `<section aria-labelledby="claims">
<h2 id="claims">Claims</h2>
${table.rows.length === 0 ? "<p>No claim was made about this run.</p>" : htmlTable(first.record, table)}
</section>`,
      definitions(explained),
    ]
      .filter((part) => part !== "")
      .join("\n"),
    footer: "Made by streamgauge from one record for each class, which have every number.",
  });
}

function classItem({ label, record }: ClassRecord): string {
  const count = record.machines?.length ?? 1;
  const machines = count === 1 ? "1 machine" : `${count} machines`;
  const { environment, startedAt, status } = record;
  return `<li>${escapeXml(
    `${label}: ${machines}, ${describeMachine(environment)}. Run of ${startedAt}, ${status}.`,
  )}</li>`;
}
