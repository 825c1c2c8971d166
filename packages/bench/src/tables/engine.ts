import {
  engineComparison,
  type EngineClaim,
  type EngineComparison,
  type EngineMeasurement,
  type ResultRecord,
} from "../record/index.js";
import { column, columns, documentColumn, type Sentence, type Table } from "./table.js";
import { duration, phrase, ratio, ratioEstimate, type Interval, type Value } from "./value.js";

/** The engine against others: a table for each measurement, with the claims about it. */
export function engine({ engine: measured = [] }: Pick<ResultRecord, "engine">): Table[] {
  return measured.map((measurement, index) => ({
    ...comparison(measurement),
    // They stand under the first, and are the same for all.
    definitions: index === 0 ? ["engine comparison", "engine ratio"] : [],
  }));
}

function comparison(measurement: EngineMeasurement): Table {
  const { title, unit, contenders, terms, warmUpBlocks, claims } = measurement;
  const baselines = [
    ...new Set(contenders.flatMap(({ comparisons }) => comparisons.map(({ against }) => against))),
  ];
  const rows = contenders.map(({ contender, value, tokensPerSecond, interTokenLatency: gaps }) => ({
    values: [
      contender,
      ratio(value),
      tokensPerSecond === null ? "" : ratio(tokensPerSecond),
      gaps === null ? "" : duration(gaps.p50Nanoseconds),
      gaps === null ? "" : duration(gaps.p99Nanoseconds),
      gaps === null ? "" : duration(gaps.maximumNanoseconds),
      ...baselines.map((against) => engineRatio(engineComparison(measurement, contender, against))),
    ],
  }));
  const { length } = measurement.blocks;
  const blocks = `${length} ${length === 1 ? "block" : "blocks"}`;
  const dropped = warmUpBlocks === 0 ? "" : `, after ${warmUpBlocks} that were dropped`;
  return {
    heading: `Engine: ${title}`,
    title: `${title} (${blocks}):`,
    columns: [
      column("", "what ran"),
      ...columns(unit, "tokens/s"),
      column("gap p50", "gap between tokens p50"),
      column("gap p99", "p99"),
      documentColumn("max"),
      ...baselines.map((name) => column(`/ ${name}`, `its ${unit} / that of ${name}`)),
    ],
    rows,
    notes: [
      ...[`${blocks}${dropped}.`, ...terms].map((text) => ({ text, only: "document" as const })),
      ...claims.map((claim) => sentenceOf(measurement, claim)),
    ],
  };
}

/** What {@link engineRatio} needs of a comparison. */
export interface EngineRatio extends Pick<EngineComparison, "smallestRatio" | "largestRatio"> {
  readonly ratio: { readonly hodgesLehmann: Interval } | null;
}

/** The ratio, or the range of quotients where there are too few runs for an interval. */
export function engineRatio(compared: EngineRatio | undefined): Value {
  if (compared === undefined) return null;
  const { ratio: found, smallestRatio, largestRatio } = compared;
  if (found !== null) return ratioEstimate(found.hodgesLehmann);
  return { kind: "ratioRange", lower: smallestRatio, upper: largestRatio };
}

function sentenceOf(
  measurement: EngineMeasurement,
  { contender, against, promise, limit, verdict, reasons }: EngineClaim,
): Sentence {
  return phrase(
    `${contender} / ${against}: `,
    engineRatio(engineComparison(measurement, contender, against)),
    "; limit < ",
    ratio(limit),
    ` (${[`${promise}): ${verdict}.`, ...(verdict === "upheld" ? [] : reasons)].join(" ")}`,
  );
}
