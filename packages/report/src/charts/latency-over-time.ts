import type { Cell } from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { duration } from "../text/numbers.js";
import { allPoints, chartText, type Chart, type PointCounts } from "./chart.js";
import { chartFrame } from "./chart-frame.js";
import { modeScale, modeShapeScale } from "./palette.js";

const streamed = ["stream", "streamAsync"] as const;

/**
 * Time per output token over the blocks of a cell: the median of blocks that
 * follow one another, in the range of what they were.
 */
export function latencyOverTime(
  cell: Cell | undefined,
  { overTime }: PointCounts = allPoints,
): Chart | undefined {
  if (cell === undefined || overTime === 0) return undefined;
  const size = Math.max(1, Math.ceil(cell.blocks.length / overTime));
  const values = streamed.flatMap((treatment) =>
    Array.from({ length: Math.ceil(cell.blocks.length / size) }, (_, group) => {
      const times = cell.blocks
        .slice(group * size, (group + 1) * size)
        .flatMap(({ runs }) => runs)
        .filter((run) => run.treatment === treatment)
        .flatMap(({ timePerOutputTokenNanoseconds }) => timePerOutputTokenNanoseconds ?? [])
        .toSorted((a, b) => a - b);
      const [least, median, most] = [times[0], times[times.length >> 1], times.at(-1)];
      if (least === undefined || median === undefined || most === undefined) return [];
      const mode = modeNames[treatment];
      const block = group * size;
      return [
        {
          mode,
          block,
          least: least / 1e6,
          median: median / 1e6,
          most: most / 1e6,
          about: `${mode}, from block ${block}: ${duration(median)} (${duration(least)} to ${duration(most)})`,
        },
      ];
    }).flat(),
  );
  if (values.length === 0) return undefined;
  const modes = streamed.filter((mode) => values.some((value) => value.mode === modeNames[mode]));
  const named = chartText(cell.id);
  const grouped = size === 1 ? "Each block." : `Median and range of ${size} blocks.`;
  return {
    name: "latency-over-time",
    title: `Time per output token over the run, ${named}`,
    description: `From the first block to the last of ${cell.blocks.length}. ${grouped}`,
    spec: chartFrame("Time per output token over the run", [named, grouped], 180, {
      data: { values },
      encoding: {
        x: {
          field: "block",
          type: "quantitative",
          scale: { nice: false },
          axis: { title: "block", tickCount: 5, format: "d", tickMinStep: 1 },
        },
        color: { field: "mode", type: "nominal", scale: modeScale(modes) },
      },
      layer: [
        {
          mark: { type: "area", opacity: 0.18 },
          encoding: {
            y: {
              field: "least",
              type: "quantitative",
              scale: { type: "log", nice: false },
              axis: { title: "time per output token, ms", tickCount: 5, format: "~g" },
            },
            y2: { field: "most" },
          },
        },
        {
          mark: { type: "line", strokeWidth: 1.5 },
          encoding: { y: { field: "median", type: "quantitative" } },
        },
        {
          mark: { type: "point", filled: true, size: 22, opacity: 1 },
          encoding: {
            y: { field: "median", type: "quantitative" },
            shape: { field: "mode", type: "nominal", scale: modeShapeScale(modes) },
            description: { field: "about", type: "nominal" },
          },
        },
      ],
    }),
  };
}
