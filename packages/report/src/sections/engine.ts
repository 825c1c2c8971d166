import { basename, dirname } from "node:path";
import {
  engineComparison,
  type EngineClaim,
  type EngineMeasurement,
  type ResultRecord,
} from "@streamgauge/bench/record";
import type { CommittedResults } from "../files/committed-results.js";
import type { FoundRecord } from "../files/find-record.js";
import { showCommit } from "./machine.js";
import { duration, ratio, ratioWithInterval } from "../text/numbers.js";
import { section } from "./section.js";

/** The meanings of the numbers in all of these tables; they stand under the first. */
const definitions = ["engine comparison", "engine ratio"];

/**
 * The engine against others, and against itself; nothing where none was measured. What
 * a newer record says of it comes instead, with where it is from.
 */
export function engine(own: ResultRecord, committed: CommittedResults = {}): string[] {
  const { engine: record, from } = newestEngine(own, committed);
  return (record.engine ?? []).map((measurement, index) =>
    comparison(record, measurement, {
      definitions: index === 0 ? definitions : [],
      from: from === undefined || index > 0 ? [] : [sourceOfEngine(from)],
    }),
  );
}

/** The record that says most lately what the engine does; `from` where that is another one. */
export function newestEngine(
  own: ResultRecord,
  { engine: newest }: CommittedResults,
): { readonly engine: ResultRecord; readonly from?: FoundRecord } {
  return newest !== undefined && newest.record.startedAt > own.startedAt
    ? { engine: newest.record, from: newest }
    : { engine: own };
}

/** Where and when the engine was measured, if not with the rest. */
export function sourceOfEngine({ path, record: { startedAt, environment } }: FoundRecord): string {
  return (
    `What is said of the engine is from results/${basename(dirname(path))}, measured later ` +
    `than the rest: on ${startedAt.slice(0, 10)}, at commit ${showCommit(environment.git)}.`
  );
}

function comparison(
  record: ResultRecord,
  measurement: EngineMeasurement,
  about: { readonly definitions: readonly string[]; readonly from: readonly string[] },
): string {
  const { title, unit, contenders, terms, claims } = measurement;
  const baselines = [
    ...new Set(contenders.flatMap(({ comparisons }) => comparisons.map(({ against }) => against))),
  ];
  const rows = contenders.map(({ contender, value, tokensPerSecond, interTokenLatency }) => [
    contender,
    ratio(value),
    tokensPerSecond === null ? "" : ratio(tokensPerSecond),
    ...(interTokenLatency === null
      ? ["", "", ""]
      : [
          duration(interTokenLatency.p50Nanoseconds),
          duration(interTokenLatency.p99Nanoseconds),
          duration(interTokenLatency.maximumNanoseconds),
        ]),
    ...baselines.map((against) => showRatio(measurement, contender, against)),
  ]);
  return section(record, `Engine: ${title}`, rows, {
    head: [
      "what ran",
      unit,
      "tokens/s",
      "gap between tokens p50",
      "p99",
      "max",
      ...baselines.map((name) => `its ${unit} / that of ${name}`),
    ],
    definitions: about.definitions,
    notes: [
      ...about.from,
      blocksOf(measurement),
      ...terms,
      ...claims.map((claim) => show(measurement, claim)),
    ],
  });
}

function blocksOf({ blocks, warmUpBlocks }: EngineMeasurement): string {
  const count = `${blocks.length} ${blocks.length === 1 ? "block" : "blocks"}`;
  return warmUpBlocks === 0 ? `${count}.` : `${count}, after ${warmUpBlocks} that were dropped.`;
}

function showRatio(measurement: EngineMeasurement, contender: string, against: string): string {
  const compared = engineComparison(measurement, contender, against);
  if (compared === undefined) return "–";
  if (compared.ratio !== null) return ratioWithInterval(compared.ratio.hodgesLehmann);
  return `${ratio(compared.smallestRatio)} to ${ratio(compared.largestRatio)} (range)`;
}

function show(
  measurement: EngineMeasurement,
  { contender, against, control, promise, limit, verdict, reasons }: EngineClaim,
): string {
  return [
    `Claim: ${contender} against ${against}: ${promise} (ratio < ${ratio(limit)}): ${verdict}.`,
    `Measured ${showRatio(measurement, contender, against)}` +
      (control === null ? "." : `; ${control} ${showRatio(measurement, control, against)}.`),
    ...(verdict === "upheld" ? [] : reasons),
  ].join(" ");
}
