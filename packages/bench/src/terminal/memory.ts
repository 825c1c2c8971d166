import {
  findAllocations,
  profilesOfKind,
  type Cell,
  type Memory,
  type ResultRecord,
  type Treatment,
} from "../record/index.js";
import { mebibytes } from "./numbers.js";
import { titledTable, type SummaryOptions } from "./table.js";

/** Modes whose memory is compared, in the order in which a column shows them. */
const modes = ["generate", "stream", "streamAsync"] as const;

/** The peak of each mode of each generator, and what it allocates where that was profiled. */
export function memory(record: ResultRecord, options: SummaryOptions): string[] {
  const profiles = profilesOfKind(record, "allocations");
  const threads = [
    ...new Set(profiles.flatMap(({ findings }) => findings.threads.map(({ thread }) => thread))),
  ];
  const analysed = record.cells.filter(({ analysis }) => analysis !== null);
  // One row for each generator: what it holds hardly depends on the cell.
  const last = analysed.filter((cell, index) =>
    analysed.slice(index + 1).every(({ generator }) => generator !== cell.generator),
  );
  const rows = last.map((cell) => [
    cell.generator,
    ofEachMode((mode) => peakOf(analysed, cell, mode, "residentBytes"), mebibytes),
    ofEachMode((mode) => peakOf(analysed, cell, mode, "heapUsedBytes"), mebibytes),
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
    ["generator", "resident", "JS heap", ...threads.map((thread) => `${thread}, B/token`)],
    rows,
    options,
  );
}

/** Over all cells of a cell's generator. */
function peakOf(
  cells: readonly Cell[],
  { generator }: Cell,
  mode: Treatment,
  field: keyof Memory,
): number | undefined {
  const peaks = cells
    .filter((cell) => cell.generator === generator)
    .flatMap(({ analysis }) => analysis?.treatments ?? [])
    .filter(({ treatment }) => treatment === mode)
    .map(({ peakMemory }) => peakMemory[field]);
  return peaks.length === 0 ? undefined : Math.max(...peaks);
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
