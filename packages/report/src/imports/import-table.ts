import { escapeMarkdown, list, table } from "../text/markdown-text.js";
import type { ForeignResult } from "./foreign-result.js";
import { ourDefinitions, recompute } from "./recompute.js";

/**
 * Metrics under our definitions beside the tool's own, as Markdown; under the table
 * is what could not be recomputed, and why.
 */
export function renderImport(result: ForeignResult): string {
  const recomputed = recompute(result);
  const rows = recomputed.map((ours) => {
    const { metric } = ours;
    const their = result.theirs[metric];
    const statistics = "statistics" in ours ? ours.statistics : undefined;
    return [
      `${metric} (${metric === "output throughput" ? "tokens/s" : "ms"})`,
      show(statistics?.mean),
      show(statistics?.median),
      show(statistics?.p99),
      ourDefinitions[metric],
      their?.name ?? "–",
      show(their?.mean),
      show(their?.median),
      show(their?.p99),
      their?.definition ?? "–",
    ];
  });
  const reasons = recomputed.flatMap((ours) =>
    "reason" in ours ? [`${ours.metric} was not recomputed: ${ours.reason}.`] : [],
  );
  const counted = `${result.requests.length} requests; ${result.requestsLeftOut} failed, cancelled or of the warm-up left out.`;
  return `${[
    `## ${result.tool}: ${escapeMarkdown(withoutControls(result.title))}`,
    counted,
    table(
      [
        "metric",
        "ours: mean",
        "median",
        "p99",
        "definition",
        `${result.tool}'s`,
        "mean",
        "median",
        "p99",
        "definition",
      ],
      rows,
    ),
    ...(reasons.length === 0 ? [] : [list(reasons)]),
  ].join("\n\n")}\n`;
}

function show(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(3);
}

/** A terminal would obey them. */
function withoutControls(text: string): string {
  return text.replaceAll(/\p{Control}/gu, " ");
}
