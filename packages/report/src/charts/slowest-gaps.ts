import { profilesOfKind, type ResultRecord } from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { duration } from "../text/numbers.js";
import { chartText, type Chart } from "./chart.js";
import { chartFrame } from "./chart-frame.js";
import type { Color } from "./palette.js";

const causes: Readonly<Record<string, { readonly color: Color; readonly shape: string }>> = {
  "garbage collection": { color: "#cf222e", shape: "triangle-down" },
  "another cause": { color: "#9a6700", shape: "diamond" },
  unexplained: { color: "#6e7781", shape: "circle" },
};

/**
 * The slowest gaps between tokens in the order in which they came, marked where
 * a garbage collection explains them. A record says no other gaps of a profile.
 */
export function slowestGaps(record: ResultRecord): Chart | undefined {
  const values = profilesOfKind(record, "timeline").flatMap(
    ({ model, treatment, tokens, findings }) =>
      findings.slowestGaps.map(({ generation, tokenIndex, gapNanoseconds, cause }) => ({
        position: generation * tokens + tokenIndex,
        milliseconds: gapNanoseconds / 1e6,
        cause: kindOf(cause),
        about:
          `${modeNames[treatment]} ${chartText(model)}, generation ${generation}, token ${tokenIndex}: ` +
          `${duration(gapNanoseconds)}, ${chartText(cause ?? "unexplained")}`,
      })),
  );
  if (values.length === 0) return undefined;
  const shown = Object.entries(causes).filter(([name]) =>
    values.some(({ cause }) => cause === name),
  );
  const domain = shown.map(([name]) => name);
  const counts = domain.map(
    (name) => `${values.filter(({ cause }) => cause === name).length} × ${name}`,
  );
  return {
    name: "slowest-gaps",
    title: "The slowest gaps between tokens, and garbage collections",
    description: `Of ${values.length} gaps, by what explains most of them: ${counts.join(", ")}.`,
    spec: chartFrame("The slowest gaps between tokens", "Marked by what explains them", 170, {
      data: { values },
      mark: { type: "point", filled: true, size: 60, opacity: 1 },
      encoding: {
        x: {
          field: "position",
          type: "quantitative",
          axis: { title: "token, counted over the observed generations", tickCount: 5 },
        },
        y: {
          field: "milliseconds",
          type: "quantitative",
          axis: { title: "gap, ms", tickCount: 5 },
        },
        color: {
          field: "cause",
          type: "nominal",
          scale: { domain, range: shown.map(([, { color }]) => color) },
        },
        shape: {
          field: "cause",
          type: "nominal",
          scale: { domain, range: shown.map(([, { shape }]) => shape) },
        },
        description: { field: "about", type: "nominal" },
      },
    }),
  };
}

function kindOf(cause: string | null): string {
  if (cause === null) return "unexplained";
  return /\bGC\b/.test(cause) ? "garbage collection" : "another cause";
}
