import { describeVariant, widestClaims, type Cell } from "@streamgauge/bench/record";
import { modeNames, type ClassRecord } from "@streamgauge/bench/tables";
import { chartText, type Chart } from "./chart.js";
import { forest, forestRow, type ForestRow } from "./forest.js";

/** A row of a class, and the claim that it is about. */
interface ClassRow {
  /** Of the claim, the same in all classes. */
  readonly key: string;
  readonly title: string;
  readonly row: ForestRow;
}

/** A chart for each claim on a fraction: its estimate, interval and limit in each class of machines. */
export function classesForests(classes: readonly ClassRecord[]): readonly Chart[] {
  const names = namesOf(classes);
  const rows = classes.flatMap((each, index) => rowsOf(each, names[index] ?? ""));
  return [...new Set(rows.map(({ key }) => key))].map((key, index): Chart => {
    const own = rows.filter((each) => each.key === key);
    const title = own[0]?.title ?? "";
    return {
      name: `classes-${index + 1}`,
      title,
      ...forest(
        title,
        own.map(({ row }) => row),
        "Each class of machines by itself.",
      ),
    };
  });
}

function rowsOf({ record }: ClassRecord, label: string): ClassRow[] {
  return widestClaims(record.claims).flatMap(
    ({ cell: id, treatment, metric, limit, verdict }): ClassRow[] => {
      const cell = record.cells.find((candidate) => candidate.id === id);
      if (cell === undefined || metric === "absoluteCost") return [];
      const claim = { limit, verdict, isDifference: metric === "difference" };
      const row = forestRow(cell, treatment, { label, claim });
      if (row === undefined) return [];
      return [
        { key: `${id} ${treatment} ${metric}`, title: titleOf(cell, modeNames[treatment]), row },
      ];
    },
  );
}

function titleOf(cell: Cell, mode: string): string {
  const { tokens, model, host } = cell;
  const parts = [`${mode}, ${tokens} tokens`, model, describeVariant(cell)];
  if (host !== "pooled") parts.push(host);
  return chartText(parts.filter((part) => part !== "").join(" · "));
}

/** A row is known by its name: machines of one label can have other CPUs, and these other cores. */
function namesOf(classes: readonly ClassRecord[]): readonly string[] {
  const isOne = (names: readonly string[], name: string): boolean =>
    names.filter((other) => other === name).length === 1;
  const labels = classes.map(({ label }) => chartText(label));
  const withCpu = classes.map(({ label, record }) =>
    chartText(`${label} · ${record.environment.cpuModel}`),
  );
  return classes.map((_, index) => {
    const [label = "", longer = ""] = [labels[index], withCpu[index]];
    if (isOne(labels, label)) return label;
    return isOne(withCpu, longer) ? longer : `${label} (${index + 1})`;
  });
}
