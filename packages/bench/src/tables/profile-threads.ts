import type { ProfileOf } from "../record/index.js";
import {
  column,
  columns,
  documentColumn,
  modeColumns,
  modeValues,
  shortModeColumns,
  terminalColumn,
  type Column,
  type Table,
} from "./table.js";
import { bytes, count, decimal, duration, memory, percent, phrase, type Value } from "./value.js";

/** Rows of long lists that a terminal has room for, of each profile. */
const mostTerminalRows = 5;
/** Categories that a terminal has room for in one column. */
const mostTerminalCategories = 4;
/** With the place of a function. */
const functionColumn: Column = { head: "function", longest: 48 };

/** Whose code the threads were in, and the hottest functions. */
export function cpuProfile(profiles: readonly ProfileOf<"cpuProfile">[]): Table[] {
  const threads = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map(({ thread, samples, busyMicrosecondsPerToken }) => {
      const categories = findings.categories.filter((category) => category.thread === thread);
      const inTerminal = categories
        .slice(0, mostTerminalCategories)
        .map(({ category, fraction }) => phrase(`${category} `, percent(fraction, 0)));
      const inDocuments = categories.map((found) =>
        phrase(
          `${found.category} `,
          decimal(found.selfMicrosecondsPerToken),
          " µs (",
          percent(found.fraction),
          ")",
        ),
      );
      return {
        values: [
          ...modeValues(profile),
          thread,
          decimal(busyMicrosecondsPerToken),
          count(samples),
          listOf(inTerminal),
          listOf(inDocuments),
        ],
      };
    }),
  );
  const hottest = profiles.flatMap(({ findings, ...profile }, group) =>
    findings.hotFunctions.map(({ thread, category, name, ...found }) => ({
      group,
      values: [
        ...modeValues(profile),
        thread,
        name,
        category,
        decimal(found.selfMicrosecondsPerToken),
        percent(found.fraction),
      ],
    })),
  );
  return [
    {
      heading: "CPU profile: whose code",
      title: "CPU profile, busy µs per token and whose code ran:",
      columns: [
        ...modeColumns,
        ...columns("thread"),
        column("busy", "busy, µs per token"),
        ...columns("samples"),
        terminalColumn("whose"),
        documentColumn("whose, µs per token and share"),
      ],
      rows: threads,
      definitions: ["CPU profile"],
    },
    {
      heading: "CPU profile: the hottest functions",
      title: "The hottest functions, without what they call:",
      columns: [
        ...shortModeColumns,
        ...columns("thread"),
        functionColumn,
        documentColumn("whose"),
        column("µs/token", "µs per token"),
        ...columns("share"),
      ],
      rows: hottest,
      mostTerminalRows,
    },
  ];
}

/** What the threads allocate for each token, and where. */
export function allocations(profiles: readonly ProfileOf<"allocations">[]): Table[] {
  const threads = profiles.flatMap(({ findings: { peakMemory, ...findings }, ...profile }) =>
    findings.threads.map(({ thread, bytesPerToken, objectsPerToken }) => ({
      values: [
        ...modeValues(profile),
        thread,
        bytes(bytesPerToken),
        decimal(objectsPerToken),
        memory(peakMemory.residentBytes),
        memory(peakMemory.heapUsedBytes),
        memory(peakMemory.externalBytes),
        memory(peakMemory.arrayBufferBytes),
      ],
    })),
  );
  const largest = profiles.flatMap(({ findings, ...profile }, group) =>
    findings.largest.map(({ thread, category, name, bytesPerToken }) => ({
      group,
      values: [...modeValues(profile), thread, name, category, bytes(bytesPerToken)],
    })),
  );
  return [
    {
      heading: "Allocations",
      title:
        "Allocations in JavaScript's heap per token, and the process's peak without the profiler, MiB:",
      columns: [
        ...modeColumns,
        ...columns("thread"),
        column("bytes", "bytes per token"),
        column("objects", "objects per token"),
        column("resident", "peak resident"),
        column("JS heap", "heap"),
        documentColumn("external"),
        documentColumn("array buffers"),
      ],
      rows: threads,
      introduction: "The peaks are of the process, in the runs without the profiler.",
      definitions: ["bytes per token"],
    },
    {
      heading: "Allocations: where most bytes are",
      title: "Where most bytes are allocated:",
      columns: [
        ...shortModeColumns,
        ...columns("thread"),
        functionColumn,
        documentColumn("whose"),
        column("B/token", "bytes per token"),
      ],
      rows: largest,
      mostTerminalRows,
    },
  ];
}

/** What held tokens up. */
export function timeline(profiles: readonly ProfileOf<"timeline">[]): Table[] {
  const threads = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map((thread) => ({
      values: [
        ...modeValues(profile),
        thread.thread,
        count(thread.garbageCollections),
        decimal(thread.garbageCollectionMilliseconds),
        decimal(thread.longestGarbageCollectionMilliseconds),
        decimal(thread.longestEventLoopDelayMilliseconds),
      ],
    })),
  );
  const gaps = profiles.flatMap(({ findings, ...profile }, group) =>
    findings.slowestGaps.map(({ gapNanoseconds, quantile, generation, tokenIndex, cause }) => ({
      group,
      values: [
        ...modeValues(profile),
        duration(gapNanoseconds),
        percent(quantile, 2),
        `${tokenIndex} of run ${generation}`,
        cause ?? "unknown",
      ],
    })),
  );
  return [
    {
      heading: "Timeline: garbage collections and late event loops",
      title: "Garbage collections (GC) and late event loops, ms:",
      columns: [
        ...modeColumns,
        ...columns("thread"),
        column("GCs", "garbage collections"),
        column("all GC", "all of them, ms"),
        column("longest GC", "longest, ms"),
        column("longest loop delay", "longest event-loop delay, ms"),
      ],
      rows: threads,
    },
    {
      heading: "Timeline: the slowest gaps between tokens",
      title: "The slowest gaps between tokens, and what explains them:",
      columns: [...modeColumns, ...columns("gap", "shorter are", "before token", "cause")],
      rows: gaps,
      definitions: ["cause of a gap"],
      mostTerminalRows,
    },
  ];
}

/** Promises, and the time in their reactions. */
export function asyncActivity(profiles: readonly ProfileOf<"asyncActivity">[]): Table[] {
  const rows = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map(({ thread, promisesPerToken, reactionMicrosecondsPerToken }) => ({
      values: [
        ...modeValues(profile),
        thread,
        decimal(promisesPerToken, 2),
        decimal(reactionMicrosecondsPerToken),
      ],
    })),
  );
  return [
    {
      heading: "Promises",
      title: "Promises:",
      columns: [
        ...modeColumns,
        ...columns("thread"),
        column("promises/token", "promises per token"),
        column("µs/token in reactions", "µs per token in reactions"),
      ],
      rows,
      definitions: ["promises per token"],
    },
  ];
}

function listOf(values: readonly Value[]): Value {
  return phrase(...values.flatMap((value, index) => (index === 0 ? [value] : [", ", value])));
}
