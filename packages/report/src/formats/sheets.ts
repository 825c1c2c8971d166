import { describeVariant, type Cell, type ResultRecord } from "@streamgauge/bench/record";
import { measuredModes, modeKeys } from "./measured-modes.js";

/** What is in one cell of a sheet; null is empty. */
export type SheetValue = string | number | null;

/** A table of the spreadsheet and of the CSV files, which are the same. */
export interface Sheet {
  readonly name: "summary" | "blocks" | "percentiles" | "environment";
  readonly head: readonly string[];
  readonly rows: readonly (readonly SheetValue[])[];
}

/** The tables of a record, with the units in their heads. */
export function sheetsOf(record: ResultRecord): Sheet[] {
  return [summary(record), blocks(record), percentiles(record), environment(record)];
}

const cellHead = ["cell", "model", "variant", "host", "tokens", "mode"];

function cellValues(cell: Cell, mode: string): SheetValue[] {
  return [cell.id, cell.model, describeVariant(cell), cell.host, cell.tokens, mode];
}

function summary(record: ResultRecord): Sheet {
  return {
    name: "summary",
    head: [
      ...cellHead,
      "end-to-end (ns)",
      "throughput (tokens/s)",
      "time per output token (ns)",
      "CPU (µs/token)",
      "blocks",
      "overhead, Hodges–Lehmann",
      "overhead, 95 % lower",
      "overhead, 95 % upper",
      "overhead, mean",
      "cost, Hodges–Lehmann (µs/token)",
      "cost, 95 % lower (µs/token)",
      "cost, 95 % upper (µs/token)",
      "verdicts",
    ],
    rows: measuredModes(record).map(({ cell, treatment, summary: of, comparison }) => {
      const overhead = comparison?.overhead;
      const cost = comparison?.costMicrosecondsPerToken.hodgesLehmann;
      return [
        ...cellValues(cell, modeKeys[treatment]),
        of.endToEndNanoseconds,
        of.throughputTokensPerSecond,
        of.timePerOutputTokenNanoseconds,
        of.cpuMicrosecondsPerToken,
        cell.blocks.length,
        overhead?.hodgesLehmann.value ?? null,
        overhead?.hodgesLehmann.interval95.lower ?? null,
        overhead?.hodgesLehmann.interval95.upper ?? null,
        overhead?.mean.value ?? null,
        cost?.value ?? null,
        cost?.interval95.lower ?? null,
        cost?.interval95.upper ?? null,
        record.claims
          .filter((claim) => claim.cell === cell.id && claim.treatment === treatment)
          .map(({ id, verdict }) => `${id}: ${verdict}`)
          .join("; "),
      ];
    }),
  };
}

function blocks({ cells }: ResultRecord): Sheet {
  return {
    name: "blocks",
    head: [
      "cell",
      "process",
      "block",
      "position",
      "mode",
      "end-to-end (ns)",
      "time to first token (ns)",
      "time per output token (ns)",
      "CPU (µs)",
      "event-loop utilisation",
      "resident set (bytes)",
    ],
    rows: cells.flatMap(({ id, blocks: all }) =>
      all.flatMap(({ index, process = 0, runs }) =>
        runs.map((run, position) => [
          id,
          process,
          index,
          position,
          modeKeys[run.treatment],
          run.endToEndNanoseconds,
          run.timeToFirstTokenNanoseconds,
          run.timePerOutputTokenNanoseconds,
          run.cpuMicroseconds,
          run.eventLoopUtilization,
          run.memory.residentBytes,
        ]),
      ),
    ),
  };
}

function percentiles({ cells }: ResultRecord): Sheet {
  const head = ["count", "mean (ns)", "minimum (ns)", "p50 (ns)", "p90 (ns)", "p99 (ns)"];
  return {
    name: "percentiles",
    head: [...cellHead, "metric", ...head, "p99.9 (ns)", "maximum (ns)"],
    rows: cells.flatMap((cell) =>
      cell.distributions.map((of) => [
        ...cellValues(cell, modeKeys[of.treatment]),
        of.metric,
        of.count,
        of.meanNanoseconds,
        of.minimumNanoseconds,
        of.p50Nanoseconds,
        of.p90Nanoseconds,
        of.p99Nanoseconds,
        of.p999Nanoseconds,
        of.maximumNanoseconds,
      ]),
    ),
  };
}

function environment(record: ResultRecord): Sheet {
  const { environment: of, instrument } = record;
  return {
    name: "environment",
    head: ["what", "value"],
    rows: [
      ["run", record.runId],
      ["profile", record.profile],
      ["status", record.status],
      ["started", record.startedAt],
      ["ended", record.endedAt],
      ["seed", record.seed],
      ["CPU", of.cpuModel],
      ["logical cores", of.logicalCores],
      ["CPU governor", of.cpuGovernor],
      ["memory (bytes)", of.memoryBytes],
      ["operating system", of.operatingSystem],
      ["stolen CPU time (fraction)", of.stolenCpuFraction],
      ["Node.js", of.nodeVersion],
      ["V8", of.v8Version],
      ["commit", of.git?.commit ?? null],
      ["uncommitted changes", of.git === null ? null : String(of.git.dirty)],
      ["peak resident set (bytes)", of.peakResidentBytes],
      ["clock", instrument.clock],
      ["clock resolution (ns)", instrument.clockResolutionNanoseconds],
      ["clock reading (ns)", instrument.clockReadNanoseconds],
      ["recording a token (ns)", instrument.recordingNanoseconds],
      ...Object.entries(of.packages).map(([name, version]) => [`package ${name}`, version]),
      ...of.advice.map((advice) => ["advice", advice]),
      ...record.definitions.map(({ metric, formula }) => [`definition of ${metric}`, formula]),
    ],
  };
}
