import { escapeMarkdown, list, table } from "../text/markdown-text.js";
import type { ForeignResult, ImportedMetric, TheirMetric } from "./foreign-result.js";
import { impossibleRate, impossibleTime } from "./possible.js";
import { ourDefinitions, recompute } from "./recompute.js";

/**
 * Metrics under our definitions beside the tool's own, as Markdown; under the table
 * is what could not be recomputed, and why.
 */
export function renderImport(result: ForeignResult): string {
  const recomputed = recompute(result);
  const rows = recomputed.map((ours) => {
    const { metric } = ours;
    const their = possibleOf(metric, result.theirs[metric]);
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
  const impossible = recomputed.flatMap(({ metric }) => {
    const their = result.theirs[metric];
    return statisticsOf(their).flatMap(([of, value]) => {
      const wrong = whyImpossible(metric, value);
      return wrong === undefined
        ? []
        : [`${result.tool}'s ${of} of ${their?.name} is not shown: ${wrong}.`];
    });
  });
  const notes = [...reasons, ...impossible];
  const { length: count } = result.requests;
  const counted =
    count + result.requestsLeftOut === 0
      ? "No request is in the file: it holds summaries only."
      : `${count} requests; ${result.requestsLeftOut} failed, cancelled or of the warm-up left out.`;
  return `${[
    `## ${result.tool}: ${escapeMarkdown(result.title)}`,
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
    ...(notes.length === 0 ? [] : [list(notes)]),
  ].join("\n\n")}\n`;
}

function show(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(3);
}

const statisticNames = ["mean", "median", "p99"] as const;

function statisticsOf(
  their: TheirMetric | undefined,
): (readonly [(typeof statisticNames)[number], number | undefined])[] {
  return statisticNames.map((of) => [of, their?.[of]] as const);
}

/** Theirs without the values that cannot be. */
function possibleOf(
  metric: ImportedMetric,
  their: TheirMetric | undefined,
): TheirMetric | undefined {
  const possible = (value: number | undefined): number | undefined =>
    whyImpossible(metric, value) === undefined ? value : undefined;
  return (
    their && {
      ...their,
      mean: possible(their.mean),
      median: possible(their.median),
      p99: possible(their.p99),
    }
  );
}

function whyImpossible(metric: ImportedMetric, value: number | undefined): string | undefined {
  if (value === undefined) return undefined;
  return metric === "output throughput" ? impossibleRate(value) : impossibleTime(value);
}
