import {
  engineComparison,
  type EngineClaim,
  type EngineMeasurement,
  type ResultRecord,
} from "../record/index.js";
import { duration, ratio, ratioWithInterval } from "./numbers.js";
import { titledTable, type SummaryOptions } from "./table.js";

/** The engine against others: a part for each measurement, with the claims about it. */
export function engine(
  { engine: measured = [] }: ResultRecord,
  options: SummaryOptions,
): string[][] {
  return measured.map((measurement) => [
    ...table(measurement, options),
    ...measurement.claims.map((claim) => sentenceOf(measurement, claim)),
  ]);
}

function table(measurement: EngineMeasurement, options: SummaryOptions): string[] {
  const { title, unit, blocks, contenders } = measurement;
  const baselines = baselinesOf(measurement);
  const rows = contenders.map(({ contender, value, tokensPerSecond, interTokenLatency }) => [
    contender,
    ratio(value),
    tokensPerSecond === null ? "" : ratio(tokensPerSecond),
    interTokenLatency === null ? "" : duration(interTokenLatency.p50Nanoseconds),
    interTokenLatency === null ? "" : duration(interTokenLatency.p99Nanoseconds),
    ...baselines.map((against) => {
      const shown = showRatio(measurement, contender, against);
      return contender === against ? "-" : shown;
    }),
  ]);
  return titledTable(
    `${title} (${blocks.length} ${blocks.length === 1 ? "block" : "blocks"}):`,
    ["", unit, "tokens/s", "gap p50", "gap p99", ...baselines.map((name) => `/ ${name}`)],
    rows,
    options,
  );
}

/** Whom the others are compared with. */
function baselinesOf({ contenders }: EngineMeasurement): string[] {
  return [
    ...new Set(contenders.flatMap(({ comparisons }) => comparisons.map(({ against }) => against))),
  ];
}

function showRatio(measurement: EngineMeasurement, contender: string, against: string): string {
  const compared = engineComparison(measurement, contender, against);
  if (compared === undefined) return "-";
  if (compared.ratio !== null) return ratioWithInterval(compared.ratio.hodgesLehmann);
  return `${ratio(compared.smallestRatio)} to ${ratio(compared.largestRatio)}`;
}

function sentenceOf(
  measurement: EngineMeasurement,
  { contender, against, promise, limit, verdict, reasons }: EngineClaim,
): string {
  return [
    `${contender} / ${against}: ${showRatio(measurement, contender, against)}; limit < ${ratio(limit)} (${promise}): ${verdict}.`,
    ...(verdict === "upheld" ? [] : reasons),
  ].join(" ");
}
