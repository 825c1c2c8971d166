import {
  describeVariant,
  widestClaims,
  type Cell,
  type ResultRecord,
  type Treatment,
} from "@streamgauge/bench/record";
import { shortModeNames } from "../text/mode-names.js";
import { percent } from "../text/numbers.js";
import { comparisonOf } from "@streamgauge/bench/tables";
import { chartText, type Chart } from "./chart.js";
import { chartFrame, namedRows } from "./chart-frame.js";
import { ink, limitColor, unclaimed, verdictScale, verdictShapeScale } from "./palette.js";

interface Row {
  readonly label: string;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
  readonly limit: number | null;
  readonly verdict: string;
  readonly about: string;
}

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
  const verdicts = [...new Set(rows.map(({ verdict }) => verdict))];
  const y = {
    field: "label",
    type: "nominal",
    sort: null,
    axis: { ...namedRows.axis, grid: true },
  };
  const hasLimits = rows.some(({ limit }) => limit !== null);
  return {
    name: "overhead",
    title: "Overhead against generate()",
    description: `Estimates with their intervals${hasLimits ? " and the claimed limits" : ""}, in percent. ${rows.map(({ about }) => about).join("; ")}.`,
    spec: chartFrame(
      "Overhead against generate()",
      hasLimits ? "Bar: interval. Red: claimed limit." : "Bar: interval.",
      22 * rows.length,
      {
        width: namedRows.plotWidthPixels,
        data: { values: rows },
        encoding: { y, description: { field: "about", type: "nominal" } },
        layer: [
          {
            mark: { type: "rule", color: ink, strokeDash: [2, 2] },
            encoding: { x: { datum: 0 }, y: null },
          },
          {
            mark: { type: "rule", strokeWidth: 2 },
            encoding: {
              x: { field: "lower", type: "quantitative", title: "slower than generate(), %" },
              x2: { field: "upper" },
              color: { field: "verdict", type: "nominal", scale: verdictScale(verdicts) },
            },
          },
          {
            mark: { type: "point", filled: true, size: 70, opacity: 1 },
            encoding: {
              x: { field: "value", type: "quantitative" },
              color: { field: "verdict", type: "nominal", scale: verdictScale(verdicts) },
              shape: { field: "verdict", type: "nominal", scale: verdictShapeScale(verdicts) },
            },
          },
          ...(hasLimits ? [limitTicks] : []),
        ],
      },
    ),
  };
}

/** Only where there are any: the library warns of a field without a value. */
const limitTicks = {
  transform: [{ filter: "isValid(datum.limit)" }],
  mark: { type: "tick", color: limitColor, thickness: 2, size: 18 },
  encoding: { x: { field: "limit", type: "quantitative" } },
};

function rowOf(
  cell: Cell,
  treatment: Exclude<Treatment, "generate">,
  claim?: { readonly limit: number; readonly verdict: string; readonly isDifference: boolean },
): Row[] {
  const comparison = comparisonOf(cell, treatment);
  if (comparison === undefined) return [];
  const { value, interval95, bounds95 } = comparison.overhead.hodgesLehmann;
  const { lower, upper } = claim?.isDifference === true ? bounds95 : interval95;
  const label = chartText(
    [`${shortModeNames[treatment]} ${cell.tokens}`, cell.model, describeVariant(cell), hostOf(cell)]
      .filter((part) => part !== "")
      .join(" · "),
  );
  const limit = claim === undefined ? null : claim.limit * 100;
  const about =
    `${label}: ${percent(value)} (${percent(lower)} to ${percent(upper)})` +
    (claim === undefined
      ? ""
      : `, limit ${Number((claim.limit * 100).toFixed(2))} %, ${claim.verdict}`);
  return [
    {
      label,
      value: value * 100,
      lower: lower * 100,
      upper: upper * 100,
      limit,
      verdict: claim?.verdict ?? unclaimed,
      about,
    },
  ];
}

/** Pooled is the ordinary case, and there is little room. */
function hostOf({ host }: Cell): string {
  return host === "pooled" ? "" : host;
}
