import { escapeXml } from "../text/html-text.js";
import type { Chart } from "./chart.js";
import { font } from "./chart-frame.js";
import { themeStyle } from "./palette.js";

/** Draws a chart as a file of its own: with its title, description and both themes. */
export async function renderSvg(chart: Chart): Promise<string> {
  const { opening, content } = await draw(chart);
  return (
    `${opening} role="img"><title>${escapeXml(chart.title)}</title>` +
    `<desc>${escapeXml(chart.description)}</desc><style>${themeStyle()}</style>${content}\n`
  );
}

/**
 * Draws a chart for a page which has {@link themeStyle} itself. Its description
 * is an attribute, because browsers show a title as a tip of their own.
 */
export async function renderInlineSvg(chart: Chart): Promise<string> {
  const { opening, content } = await draw(chart);
  return `${opening} role="img" aria-label="${escapeXml(`${chart.title}. ${chart.description}`)}">${content}`;
}

async function draw({ spec }: Chart): Promise<{ opening: string; content: string }> {
  // A command that draws nothing should not wait for these.
  const [{ View, Warn, parse, resetSVGDefIds }, { compile }] = await Promise.all([
    import("vega"),
    import("vega-lite"),
  ]);
  const view = new View(parse(compile(spec).spec), { renderer: "none", logLevel: Warn });
  try {
    await view.runAsync();
    // The library counts on from drawing to drawing.
    resetSVGDefIds();
    const svg = withoutDefaults(roundCoordinates(withoutNothing(await view.toSVG())));
    const end = svg.indexOf(">");
    return { opening: `${svg.slice(0, end)} font-family="${font}"`, content: svg.slice(end + 1) };
  } finally {
    view.finalize();
  }
}

/** To hundredths of a pixel, so that the last bits of a logarithm do not differ between engines. */
function roundCoordinates(svg: string): string {
  return svg.replaceAll(/ (?:transform|d|[xy][12]?|width|height)="[^"]*"/g, (attribute) =>
    attribute.replaceAll(/-?\d+\.\d+(?:e-?\d+)?/g, (number) =>
      String(Number(Number(number).toFixed(2)) + 0),
    ),
  );
}

/** Groups have a background and a foreground even where nothing is painted, and axes empty labels. */
function withoutNothing(svg: string): string {
  return svg
    .replaceAll(/<path class="(?:back|fore)ground"(?![^>]* (?:fill|stroke)=)[^>]*\/>/g, "")
    .replaceAll(/<text [^>]*\/>/g, "");
}

/** What marks say of themselves that is so anyway, or that the drawing says as a whole: a third of it. */
function withoutDefaults(svg: string): string {
  const defaults = new RegExp(
    ` (?:(?:opacity|stroke-width)="1"|font-family="${font}"|class="mark-[^"]*"|pointer-events="none")`,
    "g",
  );
  return svg.replaceAll(/<[a-z][^>]*>/g, (tag) => tag.replaceAll(defaults, ""));
}
