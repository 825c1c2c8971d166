import type { Chart } from "../charts/chart.js";
import { renderInlineSvg } from "../charts/render-svg.js";
import { escapeXml } from "../text/html-text.js";

/** Charts side by side, each with the beginning of its description under it. */
export async function figures(charts: readonly Chart[]): Promise<string> {
  const drawn = await Promise.all(
    charts.map(
      async (chart) =>
        `<figure>${await renderInlineSvg(chart)}<figcaption>${escapeXml(firstSentence(chart))}</figcaption></figure>`,
    ),
  );
  return `<div class="charts">${drawn.join("\n")}</div>`;
}

/** Of the description, which the drawing has all of. */
function firstSentence({ description }: Chart): string {
  return /^.*?[.](?= |$)/.exec(description)?.[0] ?? description;
}
