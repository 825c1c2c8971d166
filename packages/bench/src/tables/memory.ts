import {
  findAllocations,
  profilesOfKind,
  type Cell,
  type ResultRecord,
  type Treatment,
} from "../record/index.js";
import { column, columns, documentColumn, type Table } from "./table.js";
import { bytes, memory as ofBytes, phrase, several, type Value } from "./value.js";

/** Modes whose memory is compared, in the order in which a column shows them. */
const modes = ["generate", "stream", "streamAsync"] as const;

const fields = ["residentBytes", "heapUsedBytes", "externalBytes", "arrayBufferBytes"] as const;

/** The peak of each mode of each generator, and what it allocates where that was profiled. */
export function memory(record: ResultRecord): Table {
  const profiles = profilesOfKind(record, "allocations");
  const threads = [
    ...new Set(profiles.flatMap(({ findings }) => findings.threads.map(({ thread }) => thread))),
  ];
  const analysed = record.cells.filter(({ analysis }) => analysis !== null);
  // One row for each generator: what it holds hardly depends on the cell.
  const last = analysed.filter((cell, index) =>
    analysed.slice(index + 1).every(({ generator }) => generator !== cell.generator),
  );
  const rows = last.map((cell) => {
    const all = analysed.filter(({ generator }) => generator === cell.generator);
    return {
      values: [
        cell.generator,
        ...fields.map((field) => several(modes.map((mode) => peakOf(all, mode, field)))),
        ...threads.map((thread) =>
          several(modes.map((mode) => allocatedBy(record, all, mode, thread))),
        ),
      ],
    };
  });
  const isJoined = record.cells.some((cell) =>
    modes.some((mode) => findAllocations(record, cell, mode) !== undefined),
  );
  const inTitle = isJoined ? ", and bytes allocated per token" : "";
  return {
    heading: isJoined ? "Peak memory and bytes per token" : "Peak memory",
    title: `Peak memory, MiB${inTitle} (generate / sync / async stream):`,
    columns: [
      ...columns("generator"),
      column("resident", "peak resident"),
      column("JS heap", "heap"),
      documentColumn("external"),
      documentColumn("array buffers"),
      ...threads.map((thread) => column(`${thread}, B/token`, `allocated per token, ${thread}`)),
    ],
    rows,
    introduction: "generate / sync stream / async stream, the largest of all cells of a generator.",
    // What is allocated is defined with the profiles.
    definitions: ["peak memory"],
    notes:
      rows.length === 0
        ? []
        : [
            {
              text: phrase(
                "The whole process took at most ",
                ofBytes(record.environment.peakResidentBytes),
                " of resident memory.",
              ),
              only: "document",
            },
          ],
  };
}

function peakOf(
  cells: readonly Cell[],
  mode: Treatment,
  field: (typeof fields)[number],
): Value | undefined {
  const peaks = cells
    .flatMap(({ analysis }) => analysis?.treatments ?? [])
    .filter(({ treatment }) => treatment === mode)
    .map(({ peakMemory }) => peakMemory[field]);
  return peaks.length === 0 ? undefined : ofBytes(Math.max(...peaks));
}

/** Of the last cell of a generator that was profiled. */
function allocatedBy(
  record: ResultRecord,
  cells: readonly Cell[],
  mode: Treatment,
  thread: string,
): Value | undefined {
  const found = cells
    .toReversed()
    .map((cell) => findAllocations(record, cell, mode))
    .find((profile) => profile !== undefined)
    ?.findings.threads.find((candidate) => candidate.thread === thread);
  return found === undefined ? undefined : bytes(found.bytesPerToken);
}
