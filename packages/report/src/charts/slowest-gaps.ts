import { profilesOfKind, type ResultRecord } from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { duration } from "../text/numbers.js";
import { chartText, type Chart } from "./chart.js";
import { chartFrame } from "./chart-frame.js";
import type { Color } from "./palette.js";

interface Kind {
  /** What the record says of such a gap. */
  readonly pattern: RegExp;
  readonly color: Color;
  readonly shape: string;
}

const kinds: Readonly<Record<string, Kind>> = {
  "garbage collection": { pattern: /\bGC\b/, color: "#cf222e", shape: "triangle-down" },
  "slow model step": { pattern: /^made late/, color: "#0969da", shape: "square" },
  "busy event loop": { pattern: /^event loop delay/, color: "#bc4c00", shape: "triangle-up" },
  "slow wake-up": { pattern: /^delivered late/, color: "#8250df", shape: "diamond" },
  "another cause": { pattern: /./, color: "#1a7f37", shape: "cross" },
};

const unexplained: Pick<Kind, "color" | "shape"> = { color: "#59636e", shape: "circle" };

/**
 * The slowest gaps between tokens in the order in which they came, marked by
 * what explains most of each. A record says no other gaps of a profile.
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
  const shown = Object.entries({ ...kinds, unexplained }).filter(([name]) =>
    values.some(({ cause }) => cause === name),
  );
  const domain = shown.map(([name]) => name);
  const counts = domain.map(
    (name) => `${values.filter(({ cause }) => cause === name).length} × ${name}`,
  );
  return {
    name: "slowest-gaps",
    title: "The slowest gaps between tokens, and their causes",
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
  const known = Object.entries(kinds).find(([, { pattern }]) => pattern.test(cause));
  return known?.[0] ?? "another cause";
}
