import type { Cell, Distribution, Treatment } from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { duration } from "../text/numbers.js";
import { allPoints, chartText, type Chart, type PointCounts } from "./chart.js";
import { chartFrame } from "./chart-frame.js";
import { modeScale, modeShapeScale } from "./palette.js";

interface Point {
  readonly mode: string;
  /** 1 / (1 − quantile): 100 is the 99th percentile. */
  readonly rarity: number;
  readonly milliseconds: number;
  readonly about: string;
}

/** Percentiles of a cell's inter-token latency on the scale of HDR histograms: each nine has the same width. */
export function percentileCurves(
  cell: Cell | undefined,
  { perNine }: PointCounts = allPoints,
): Chart | undefined {
  if (cell === undefined) return undefined;
  const found = cell.distributions.filter(
    ({ metric, count }) => metric === "interTokenLatency" && count > 0,
  );
  const points = found.flatMap((own) => curveOf(own, perNine));
  if (points.length === 0) return undefined;
  const modes = found.map(({ treatment }): Treatment => treatment);
  const named = chartText(cell.id);
  const tails = found.map(
    ({ treatment, p50Nanoseconds, p99Nanoseconds, p999Nanoseconds }) =>
      `${modeNames[treatment]}: p50 ${duration(p50Nanoseconds)}, p99 ${duration(p99Nanoseconds)}, ` +
      `p99.9 ${duration(p999Nanoseconds)}`,
  );
  const x = {
    field: "rarity",
    type: "quantitative",
    scale: { type: "log", nice: false },
    axis: {
      title: "percentile",
      values: [2, 10, 100, 1000, 10_000, 100_000],
      labelExpr:
        "datum.value < 3 ? 'p50' : datum.value < 11 ? 'p90' : datum.value < 101 ? 'p99' : " +
        "datum.value < 1001 ? 'p99.9' : datum.value < 10001 ? 'p99.99' : 'p99.999'",
    },
  };
  const y = {
    field: "milliseconds",
    type: "quantitative",
    scale: { type: "log", nice: false },
    axis: { title: "inter-token latency, ms", tickCount: 5, format: "~g" },
  };
  const color = { field: "mode", type: "nominal", scale: modeScale(modes) };
  return {
    name: "inter-token-latency",
    title: `Inter-token latency by percentile, ${named}`,
    description: `Both axes are logarithmic; to the right it gets rarer. ${tails.join("; ")}.`,
    spec: chartFrame("Inter-token latency by percentile", named, 200, {
      data: { values: points },
      encoding: { x, y, color },
      layer: [
        { mark: { type: "line", interpolate: "step-before", strokeWidth: 1.5 } },
        {
          mark: { type: "point", filled: true, size: 25, opacity: 1 },
          encoding: {
            shape: { field: "mode", type: "nominal", scale: modeShapeScale(modes) },
            description: { field: "about", type: "nominal" },
          },
        },
      ],
    }),
  };
}

/** So many points for each nine, as far as there are values for them. */
function curveOf(distribution: Distribution, perNine: number): Point[] {
  const mode = modeNames[distribution.treatment];
  const nines = Math.log10(Math.max(2, distribution.count));
  const rarities = Array.from(
    { length: Math.floor(nines * perNine) },
    (_, step) => 10 ** ((step + 1) / perNine),
  );
  const valueAt = reader(distribution);
  return rarities
    .map((rarity) => ({ rarity, nanoseconds: valueAt(100 * (1 - 1 / rarity)) }))
    .filter(({ nanoseconds }) => nanoseconds > 0)
    .map(({ rarity, nanoseconds }) => ({
      mode,
      rarity,
      milliseconds: nanoseconds / 1e6,
      about: `${mode}, p${Number((100 * (1 - 1 / rarity)).toPrecision(6))}: ${duration(nanoseconds)}`,
    }));
}

/** From the histogram; where that cannot be read, from the percentiles that the record also says. */
function reader(distribution: Distribution): (percentile: number) => number {
  const { minimumNanoseconds, p50Nanoseconds, p90Nanoseconds } = distribution;
  const { p99Nanoseconds, p999Nanoseconds, maximumNanoseconds } = distribution;
  try {
    const histogram = decodeFromCompressedBase64(distribution.histogram);
    return (percentile) => Math.min(histogram.getValueAtPercentile(percentile), maximumNanoseconds);
  } catch {
    return (percentile) => {
      if (percentile >= 99.9) return p999Nanoseconds;
      if (percentile >= 99) return p99Nanoseconds;
      if (percentile >= 90) return p90Nanoseconds;
      return percentile >= 50 ? p50Nanoseconds : minimumNanoseconds;
    };
  }
}
