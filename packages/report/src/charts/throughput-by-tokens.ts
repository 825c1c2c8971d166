import {
  describeVariant,
  treatments,
  type Cell,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { chartText, type Chart } from "./chart.js";
import { chartFrame } from "./chart-frame.js";
import { modeScale, modeShapeScale } from "./palette.js";

/**
 * Tokens per second by the length of a generation, of the generator that was
 * measured at most lengths; nothing where each was measured at one.
 */
export function throughputByTokens(record: ResultRecord): Chart | undefined {
  const ordinary = record.cells.filter(
    (cell) => cell.analysis !== null && describeVariant(cell) === "",
  );
  const [cells = []] = [...new Set(ordinary.map(({ generator }) => generator))]
    .map((generator) => ordinary.filter((cell) => cell.generator === generator))
    .toSorted((a, b) => lengths(b) - lengths(a));
  if (lengths(cells) < 2) return undefined;
  const values = cells.flatMap((cell) =>
    (cell.analysis?.treatments ?? []).map(({ treatment, throughputTokensPerSecond }) => ({
      mode: modeNames[treatment],
      tokens: cell.tokens,
      throughput: throughputTokensPerSecond,
      about: `${modeNames[treatment]}, ${cell.tokens} tokens: ${throughputTokensPerSecond.toFixed(1)} tokens/s`,
    })),
  );
  const modes = treatments.filter((mode) => values.some((value) => value.mode === modeNames[mode]));
  const named = chartText(`${cells[0]?.model ?? ""}, ${cells[0]?.host ?? ""}`);
  return {
    name: "throughput",
    title: `Throughput by length, ${named}`,
    description: `Tokens per second, median of the blocks. ${values.map(({ about }) => about).join("; ")}.`,
    spec: chartFrame("Throughput by length", named, 180, {
      data: { values },
      encoding: {
        x: {
          field: "tokens",
          type: "ordinal",
          axis: { title: "tokens of a generation", labelAngle: 0 },
        },
        y: {
          field: "throughput",
          type: "quantitative",
          scale: { zero: true },
          axis: { title: "tokens per second", tickCount: 5 },
        },
        color: { field: "mode", type: "nominal", scale: modeScale(modes) },
      },
      layer: [
        { mark: { type: "line", strokeWidth: 1.5 } },
        {
          mark: { type: "point", filled: true, size: 55, opacity: 1 },
          encoding: {
            shape: { field: "mode", type: "nominal", scale: modeShapeScale(modes) },
            description: { field: "about", type: "nominal" },
          },
        },
      ],
    }),
  };
}

function lengths(cells: readonly Cell[]): number {
  return new Set(cells.map(({ tokens }) => tokens)).size;
}
