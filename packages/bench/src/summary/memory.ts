import {
  findAllocations,
  profilesOfKind,
  type Cell,
  type Memory,
  type ResultRecord,
  type Treatment,
} from "../record.js";
import { mebibytes } from "./numbers.js";
import { cellColumns, cellHead, titledTable, type SummaryOptions } from "./table.js";

/** Modes whose memory is compared, in the order in which a column shows them. */
const modes = ["generate", "stream", "streamAsync"] as const;

/** The peak of each mode of each cell, and what it allocates where that was profiled. */
export function memory(record: ResultRecord, options: SummaryOptions): string[] {
  const profiles = profilesOfKind(record, "allocations");
  const threads = [
    ...new Set(profiles.flatMap(({ findings }) => findings.threads.map(({ thread }) => thread))),
  ];
  const rows = record.cells
    .filter(({ analysis }) => analysis !== null)
    .map((cell) => [
      ...cellColumns(cell),
      ofEachMode((mode) => peakOf(cell, mode)?.residentBytes, mebibytes),
      ofEachMode((mode) => peakOf(cell, mode)?.heapUsedBytes, mebibytes),
      ...threads.map((thread) =>
        ofEachMode(
          (mode) =>
            findAllocations(record, cell, mode)?.findings.threads.find(
              (candidate) => candidate.thread === thread,
            )?.bytesPerToken,
          (bytes) => bytes.toFixed(0),
        ),
      ),
    ]);
  const isJoined = record.cells.some((cell) =>
    modes.some((mode) => findAllocations(record, cell, mode) !== undefined),
  );
  const bytes = isJoined ? ", and bytes allocated per token" : "";
  return titledTable(
    `Peak memory, MiB${bytes} (generate / sync / async stream):`,
    [...cellHead, "resident", "JS heap", ...threads.map((thread) => `${thread}, B/token`)],
    rows,
    options,
  );
}

function peakOf({ analysis }: Cell, mode: Treatment): Memory | undefined {
  return analysis?.treatments.find(({ treatment }) => treatment === mode)?.peakMemory;
}

/** Empty where no mode has a value. */
function ofEachMode(
  valueOf: (mode: Treatment) => number | undefined,
  show: (value: number) => string,
): string {
  const values = modes.map(valueOf);
  if (values.every((value) => value === undefined)) return "";
  return values.map((value) => (value === undefined ? "-" : show(value))).join(" / ");
}
