import type { ResultRecord } from "../record/index.js";
import { percent, percentWithInterval } from "./numbers.js";
import { modeNames, titledTable, type SummaryOptions } from "./table.js";

/**
 * What the bench made of delays that were known: net of what streaming costs
 * without them, where the record has that.
 */
export function calibration(
  { calibration: points = [] }: ResultRecord,
  options: SummaryOptions,
): string[] {
  const [first] = points;
  if (first === undefined) return [];
  const rows = points.map(({ net, overhead, ...point }) => [
    percent(point.injectedFraction),
    modeNames[point.treatment],
    percentWithInterval((net ?? overhead).hodgesLehmann),
    percentWithInterval((net ?? overhead).mean),
    point.recovered ? "yes" : "no",
    String(point.verdicts.upheld),
    String(point.verdicts.refuted),
    String(point.verdicts.inconclusive),
    String(point.verdicts.void),
  ]);
  const what = points.some(({ net }) => net !== undefined) ? "net " : "";
  const head = [
    "injected",
    "mode",
    `${what}Hodges–Lehmann [95 %]`,
    `${what}mean [95 %]`,
    "recovered",
    "upheld",
    "refuted",
    "inconcl.",
    "void",
  ];
  const title =
    `Known delays, and verdicts on "< ${percent(first.limit)}" by experiments of ` +
    `${first.blocksPerExperiment} blocks${what === "" ? ":" : "; net: less streaming's own cost:"}`;
  return titledTable(title, head, rows, options);
}
