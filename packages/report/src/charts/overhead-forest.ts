import {
  describeVariant,
  widestClaims,
  type Cell,
  type ResultRecord,
  type Treatment,
} from "@streamgauge/bench/record";
import { shortModeNames } from "../text/mode-names.js";
import { chartText, type Chart } from "./chart.js";
import { forest, forestRow, type ForestClaim, type ForestRow } from "./forest.js";

const title = "Overhead against generate()";

/**
 * Each claim on a fraction: estimate, interval and limit, in percent. Without
 * such claims, what was compared.
 */
export function overheadForest(record: ResultRecord): Chart | undefined {
  const claimed = widestClaims(record.claims).flatMap(
    ({ cell: id, treatment, metric, limit, verdict }) => {
      const cell = record.cells.find((candidate) => candidate.id === id);
      if (cell === undefined || metric === "absoluteCost") return [];
      return rowOf(cell, treatment, { limit, verdict, isDifference: metric === "difference" });
    },
  );
  const rows =
    claimed.length > 0
      ? claimed
      : record.cells.flatMap((cell) => [...rowOf(cell, "stream"), ...rowOf(cell, "streamAsync")]);
  if (rows.length === 0) return undefined;
  return { name: "overhead", title, ...forest(title, rows) };
}

function rowOf(
  cell: Cell,
  treatment: Exclude<Treatment, "generate">,
  claim?: ForestClaim,
): ForestRow[] {
  const label = chartText(
    [`${shortModeNames[treatment]} ${cell.tokens}`, cell.model, describeVariant(cell), hostOf(cell)]
      .filter((part) => part !== "")
      .join(" · "),
  );
  const row = forestRow(cell, treatment, { label, claim });
  return row === undefined ? [] : [row];
}

/** Pooled is the ordinary case, and there is little room. */
function hostOf({ host }: Cell): string {
  return host === "pooled" ? "" : host;
}
