import type { Config, TopLevelSpec } from "vega-lite";
import { gridLine, ink, mutedInk, paper } from "./palette.js";

/** Of the plot: with its axis, some 440 together, which can be read at 400. */
const plotWidthPixels = 370;

/** Of a chart whose rows have names beside them; the library takes letters to be wider than they are. */
export const namedRows = {
  plotWidthPixels: 210,
  axis: { title: null, labelFontSize: 11, labelLimit: 240 },
};

/** Of every letter of a chart. */
export const font = "system-ui, sans-serif";

const config: Config = {
  font,
  axis: {
    domainColor: gridLine,
    gridColor: gridLine,
    tickColor: gridLine,
    labelColor: mutedInk,
    titleColor: ink,
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: "normal",
    labelLimit: 200,
  },
  legend: {
    orient: "bottom",
    direction: "horizontal",
    columns: 2,
    symbolOpacity: 1,
    title: null,
    labelColor: ink,
    labelFontSize: 12,
    labelLimit: 200,
    symbolSize: 70,
  },
  title: {
    color: ink,
    fontSize: 14,
    anchor: "start",
    subtitleColor: mutedInk,
    subtitleFontSize: 12,
    // Of the subtitle too; the library takes letters to be wider than they are.
    limit: 430,
  },
  text: { fill: ink, fontSize: 12 },
  view: { stroke: null },
  header: { labelColor: ink, labelFontSize: 12, labelLimit: plotWidthPixels },
};

/** What all charts have in common, around what is theirs; the height is the plot's. */
export function chartFrame(
  title: string,
  subtitle: string | readonly string[],
  heightPixels: number,
  content: object,
): TopLevelSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: plotWidthPixels,
    height: heightPixels,
    padding: 8,
    background: paper,
    title: { text: title, subtitle },
    config,
    ...content,
  } as TopLevelSpec;
}

/** The same, with a panel below the other for each value of a field; each has a scale of its own. */
export function panelFrame(
  title: string,
  subtitle: string | readonly string[],
  panelHeightPixels: number,
  content: {
    readonly values: readonly object[];
    /** The field, and the panels in their order. */
    readonly panel: { readonly field: string; readonly order: readonly string[] };
    readonly layer: readonly object[];
  },
): TopLevelSpec {
  const { field, order } = content.panel;
  const header = {
    labelAnchor: "start",
    labelOrient: "top",
    labelAngle: 0,
    labelPadding: 4,
    title: null,
  };
  return chartFrame(title, subtitle, panelHeightPixels, {
    width: undefined,
    height: undefined,
    data: { values: content.values },
    facet: { row: { field, type: "nominal", sort: order, header } },
    spacing: 4,
    resolve: { scale: { y: "independent" } },
    spec: { width: plotWidthPixels, height: panelHeightPixels, layer: content.layer },
  });
}
