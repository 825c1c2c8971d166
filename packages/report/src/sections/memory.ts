import {
  findAllocations,
  profilesOfKind,
  treatments,
  type Cell,
  type ResultRecord,
  type Treatment,
} from "@streamgauge/bench/record";
import { mebibytes, wholeBytes } from "../text/numbers.js";
import { cellHead, section, treatmentRows } from "./section.js";

/** The peak of each mode, and what it allocates where the same mode was profiled. */
export function memory(record: ResultRecord): string {
  const profiles = profilesOfKind(record, "allocations");
  const threads = [
    ...new Set(profiles.flatMap(({ findings }) => findings.threads.map(({ thread }) => thread))),
  ];
  const allocated = (cell: Cell, treatment: Treatment, thread: string): string => {
    const own = findAllocations(record, cell, treatment)?.findings.threads.find(
      (candidate) => candidate.thread === thread,
    );
    return own === undefined ? "" : wholeBytes(own.bytesPerToken);
  };
  const isJoined = record.cells.some((cell) =>
    treatments.some((treatment) => findAllocations(record, cell, treatment) !== undefined),
  );
  return section(
    record,
    isJoined ? "Peak memory and bytes per token" : "Peak memory",
    treatmentRows(record, ({ treatment, peakMemory }, cell) => [
      mebibytes(peakMemory.residentBytes),
      mebibytes(peakMemory.heapUsedBytes),
      mebibytes(peakMemory.externalBytes),
      mebibytes(peakMemory.arrayBufferBytes),
      ...threads.map((thread) => allocated(cell, treatment, thread)),
    ]),
    {
      head: [
        ...cellHead,
        "mode",
        "peak resident",
        "heap",
        "external",
        "array buffers",
        ...threads.map((thread) => `allocated per token, ${thread}`),
      ],
      // What is allocated is defined with the profiles that follow.
      definitions: ["peak memory"],
      notes: [
        `The whole process reached ${mebibytes(record.environment.peakResidentBytes)} resident.`,
      ],
    },
  );
}
