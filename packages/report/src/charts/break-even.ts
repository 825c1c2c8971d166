import {
  widestClaims,
  type Cell,
  type Comparison,
  type Estimate,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { percent } from "../text/numbers.js";
import { comparisonOf, modeNames } from "@streamgauge/bench/tables";
import { chartText, type Chart } from "./chart.js";
import { chartFrame } from "./chart-frame.js";
import { limitColor, modeScale, modeShapeScale } from "./palette.js";

const streamed = ["stream", "streamAsync"] as const;

interface Curve {
  readonly treatment: (typeof streamed)[number];
  readonly cell: Cell;
  /** µs per token. */
  readonly cost: Estimate;
}

/** From 20 µs to 100 ms per token, in microseconds; eight for each power of ten. */
const tokenTimes = Array.from({ length: 31 }, (_, step) => 20 * 10 ** (step / 8)).filter(
  (time) => time <= 1e5,
);

/**
 * How the overhead falls as tokens take longer, from the absolute cost; beside
 * it what was measured.
 */
export function breakEven(record: ResultRecord): Chart | undefined {
  const curves = streamed.flatMap((treatment) => curveOf(record, treatment));
  if (curves.length === 0) return undefined;
  const values = curves.flatMap(({ treatment, cost }) =>
    tokenTimes.map((time) => ({
      mode: modeNames[treatment],
      time,
      overhead: (100 * cost.value) / time,
      lower: (100 * Math.max(cost.interval95.lower, 1e-3)) / time,
      upper: (100 * cost.interval95.upper) / time,
    })),
  );
  const modes = curves.map(({ treatment }) => treatment);
  const limits = [
    ...new Set(
      widestClaims(record.claims)
        .filter(({ metric }) => metric === "overhead")
        .map(({ limit }) => limit * 100),
    ),
  ].map((limit) => ({ limit, name: `${Number(limit.toFixed(2))} %` }));
  const color = { field: "mode", type: "nominal", scale: modeScale(modes) };
  const onScale = { type: "log", domain: [0.05, 200], clamp: true };
  const costs = curves.map(
    ({ treatment, cell, cost }) =>
      `${modeNames[treatment]}: ${cost.value.toFixed(1)} µs per token in ${chartText(cell.id)}`,
  );
  return {
    name: "break-even",
    title: "Overhead by the time of a token",
    description:
      `The slower the model, the smaller the overhead. Lines: the absolute cost over the time of a token ` +
      `(${costs.join("; ")}). Points: measured cells.`,
    spec: chartFrame(
      "Overhead by the time of a token",
      "Lines: from the cost. Points: measured.",
      210,
      {
        width: 345,
        layer: [
          {
            data: { values },
            mark: { type: "area", opacity: 0.15 },
            encoding: {
              x: {
                field: "time",
                type: "quantitative",
                scale: { type: "log", domain: [20, 1e5] },
                axis: {
                  title: "time of a token in generate()",
                  values: [100, 1000, 10_000, 100_000],
                  labelExpr:
                    "datum.value < 1000 ? datum.value + ' µs' : datum.value / 1000 + ' ms'",
                },
              },
              y: {
                field: "lower",
                type: "quantitative",
                scale: onScale,
                axis: { title: "overhead, %", values: [0.1, 1, 10, 100], format: "~g" },
              },
              y2: { field: "upper" },
              color,
            },
          },
          {
            data: { values },
            mark: { type: "line", strokeWidth: 2 },
            encoding: {
              x: { field: "time", type: "quantitative" },
              y: { field: "overhead", type: "quantitative", scale: onScale },
              color,
            },
          },
          {
            data: { values: limits },
            mark: { type: "rule", color: limitColor, strokeDash: [4, 3] },
            encoding: { y: { field: "limit", type: "quantitative" } },
          },
          {
            data: { values: limits },
            mark: {
              type: "text",
              align: "left",
              dx: 3,
              fontSize: 11,
              color: limitColor,
            },
            encoding: {
              x: { value: "width" },
              y: { field: "limit", type: "quantitative" },
              text: { field: "name", type: "nominal" },
            },
          },
          {
            data: { values: measured(record) },
            mark: { type: "point", filled: true, size: 45, opacity: 1 },
            encoding: {
              x: { field: "time", type: "quantitative" },
              y: { field: "overhead", type: "quantitative", scale: onScale },
              color,
              shape: { field: "mode", type: "nominal", scale: modeShapeScale(modes) },
              description: { field: "about", type: "nominal" },
            },
          },
        ],
      },
    ),
  };
}

/** The cost where something is claimed of it; else where something is claimed of the overhead; else the first. */
function curveOf({ claims, cells }: ResultRecord, treatment: Curve["treatment"]): Curve[] {
  const of = claims.filter((claim) => claim.treatment === treatment);
  const claim =
    of.find(({ metric }) => metric === "absoluteCost") ??
    of.find(({ metric }) => metric === "overhead");
  const candidates = [cells.find(({ id }) => id === claim?.cell), ...cells];
  for (const cell of candidates) {
    const cost = comparisonOf(cell, treatment)?.costMicrosecondsPerToken.hodgesLehmann;
    if (cell !== undefined && cost !== undefined && cost.value > 0)
      return [{ treatment, cell, cost }];
  }
  return [];
}

function measured({ cells }: ResultRecord): object[] {
  return cells.flatMap((cell) => {
    const alone = cell.analysis?.treatments.find(({ treatment }) => treatment === "generate");
    if (alone === undefined) return [];
    const time = alone.endToEndNanoseconds / 1000 / cell.tokens;
    return streamed.flatMap((treatment) => {
      const comparison: Comparison | undefined = comparisonOf(cell, treatment);
      const overhead = comparison?.overhead.hodgesLehmann.value;
      // A logarithm has no place for what is not positive, nor the chart for what is not on it.
      if (overhead === undefined || overhead <= 0 || time < 20 || time > 1e5) return [];
      const mode = modeNames[treatment];
      const about = `${chartText(cell.id)}, ${mode}: ${time.toFixed(0)} µs per token, ${percent(overhead)}`;
      return [{ mode, time, overhead: overhead * 100, about }];
    });
  });
}
