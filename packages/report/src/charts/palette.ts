import type { CodeCategory, Treatment, Verdict } from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";

/** Colours in a light room, each with what it becomes in a dark one. No two may be equal. */
const darkFor = {
  "#ffffff": "#0d1117",
  "#1f2328": "#e6edf3",
  "#59636e": "#9198a1",
  "#d1d9e0": "#3d444d",
  "#6e7781": "#8b949e",
  "#0969da": "#4493f8",
  "#bc4c00": "#f0883e",
  "#1a7f37": "#3fb950",
  "#cf222e": "#f85149",
  "#9a6700": "#d29922",
  "#8250df": "#ab7df8",
  "#bf3989": "#db61a2",
  "#1b7c83": "#39c5cf",
} as const;

export type Color = keyof typeof darkFor;

export const paper: Color = "#ffffff";
export const ink: Color = "#1f2328";
export const mutedInk: Color = "#59636e";
export const gridLine: Color = "#d1d9e0";
export const limitColor: Color = "#cf222e";

const modeColors: Readonly<Record<Treatment, Color>> = {
  generate: "#1f2328",
  control: "#6e7781",
  stream: "#0969da",
  streamAsync: "#bc4c00",
};

const modeShapes: Readonly<Record<Treatment, string>> = {
  generate: "square",
  control: "diamond",
  stream: "circle",
  streamAsync: "triangle-up",
};

const verdictColors: Readonly<Record<Verdict, Color>> = {
  upheld: "#1a7f37",
  refuted: "#cf222e",
  inconclusive: "#9a6700",
  void: "#8250df",
};

const verdictShapes: Readonly<Record<Verdict, string>> = {
  upheld: "circle",
  refuted: "cross",
  inconclusive: "diamond",
  void: "square",
};

/** Colours of stages, in the order in which a token passes them. */
export const stageColors: readonly Color[] = ["#0969da", "#bc4c00", "#8250df", "#1a7f37"];

const categoryColors: Readonly<Record<CodeCategory, Color>> = {
  engine: "#0969da",
  ring: "#bc4c00",
  adapter: "#1a7f37",
  tokenizer: "#8250df",
  onnxruntime: "#9a6700",
  host: "#bf3989",
  bench: "#1f2328",
  user: "#59636e",
  node: "#1b7c83",
  "garbage collection": "#cf222e",
  other: "#6e7781",
};

/** A scale of colours for whose code it is. */
export function categoryScale(shown: readonly string[]): { domain: string[]; range: string[] } {
  return only(shown, categoryColors);
}

/** A scale of colours for those modes that a chart shows. */
export function modeScale(treatments: readonly Treatment[]): { domain: string[]; range: string[] } {
  return scaleOf(treatments, modeNames, modeColors);
}

/** The same of shapes, for eyes that tell colours badly. */
export function modeShapeScale(treatments: readonly Treatment[]): {
  domain: string[];
  range: string[];
} {
  return scaleOf(treatments, modeNames, modeShapes);
}

/** What a comparison has that nothing was claimed of. */
export const unclaimed = "no claim";

/** A scale of colours for verdicts. */
export function verdictScale(shown: readonly string[]): { domain: string[]; range: string[] } {
  return only(shown, { ...verdictColors, [unclaimed]: mutedInk });
}

/** The same of shapes. */
export function verdictShapeScale(shown: readonly string[]): { domain: string[]; range: string[] } {
  return only(shown, { ...verdictShapes, [unclaimed]: "circle" });
}

/** Style rules by which a drawing in these colours follows the reader's theme. */
export function themeStyle(): string {
  const rules = Object.entries(darkFor).flatMap(([light, dark]) => [
    `[fill="${light}"]{fill:${dark}}`,
    `[stroke="${light}"]{stroke:${dark}}`,
  ]);
  return `@media (prefers-color-scheme:dark){${rules.join("")}}`;
}

function scaleOf<Key extends string>(
  keys: readonly Key[],
  names: Readonly<Record<Key, string>>,
  values: Readonly<Record<Key, string>>,
): { domain: string[]; range: string[] } {
  return { domain: keys.map((key) => names[key]), range: keys.map((key) => values[key]) };
}

function only(
  shown: readonly string[],
  values: Readonly<Record<string, string>>,
): { domain: string[]; range: string[] } {
  const entries = Object.entries(values).filter(([key]) => shown.includes(key));
  return { domain: entries.map(([key]) => key), range: entries.map(([, value]) => value) };
}
