import { comparisonOf } from "@streamgauge/bench/tables";
import type { Cell, Treatment } from "@streamgauge/bench/record";
import { percent } from "../text/numbers.js";
import type { Chart } from "./chart.js";
import { chartFrame, namedRows } from "./chart-frame.js";
import { ink, limitColor, unclaimed, verdictScale, verdictShapeScale } from "./palette.js";

/** A row: an estimate, its interval and, where something is claimed, the limit; in percent. */
export interface ForestRow {
  readonly label: string;
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
  readonly limit: number | null;
  readonly verdict: string;
  /** All of it in words. */
  readonly about: string;
}

/** What is claimed of a row. */
export interface ForestClaim {
  readonly limit: number;
  readonly verdict: string;
  /** It is about a difference, whose bounds are other ones. */
  readonly isDifference: boolean;
}

/** The overhead of a mode in a cell; undefined where it was not compared. */
export function forestRow(
  cell: Cell,
  treatment: Exclude<Treatment, "generate">,
  { label, claim }: { readonly label: string; readonly claim?: ForestClaim | undefined },
): ForestRow | undefined {
  const comparison = comparisonOf(cell, treatment);
  if (comparison === undefined) return undefined;
  const { value, interval95, bounds95 } = comparison.overhead.hodgesLehmann;
  const { lower, upper } = claim?.isDifference === true ? bounds95 : interval95;
  const about =
    `${label}: ${percent(value)} (${percent(lower)} to ${percent(upper)})` +
    (claim === undefined
      ? ""
      : `, limit ${Number((claim.limit * 100).toFixed(2))} %, ${claim.verdict}`);
  return {
    label,
    value: value * 100,
    lower: lower * 100,
    upper: upper * 100,
    limit: claim === undefined ? null : claim.limit * 100,
    verdict: claim?.verdict ?? unclaimed,
    about,
  };
}

/** Rows below one another, with one scale. @param subtitle above what bars and colours mean */
export function forest(
  title: string,
  rows: readonly ForestRow[],
  subtitle?: string,
): Pick<Chart, "description" | "spec"> {
  const verdicts = [...new Set(rows.map(({ verdict }) => verdict))];
  const y = {
    field: "label",
    type: "nominal",
    sort: null,
    axis: { ...namedRows.axis, grid: true },
  };
  const hasLimits = rows.some(({ limit }) => limit !== null);
  const legend = hasLimits ? "Bar: interval. Red: claimed limit." : "Bar: interval.";
  return {
    description: `Estimates with their intervals${hasLimits ? " and the claimed limits" : ""}, in percent. ${rows.map(({ about }) => about).join("; ")}.`,
    spec: chartFrame(
      title,
      subtitle === undefined ? legend : [subtitle, legend],
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
