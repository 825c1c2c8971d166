import type { MeasuredMode, ProfileOf } from "../record/index.js";
import { duration, mebibytes, oneDecimal, percent } from "./numbers.js";
import { modeColumns, modeHead, titledTable, type SummaryOptions } from "./table.js";

/** Rows of long lists that a terminal has room for, of each profile. */
const mostRows = 5;
/** Categories that are named in one column. */
const mostCategories = 4;

/** Characters of a function's name and place that are shown. */
const longestName = 48;

/** Heads of {@link shortColumns}. */
const shortHead = ["model", "host", "mode"] as const;

/** Without the token count, which the table before has: names are long. */
function shortColumns(profile: MeasuredMode): string[] {
  return modeColumns(profile).slice(0, shortHead.length);
}

function shorten(name: string): string {
  return name.length > longestName ? `${name.slice(0, longestName - 1)}…` : name;
}

/** Whose code the threads were in, and the hottest functions. */
export function cpuProfile(
  profiles: readonly ProfileOf<"cpuProfile">[],
  options: SummaryOptions,
): string[] {
  const rows = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map(({ thread, samples, busyMicrosecondsPerToken }) => [
      ...modeColumns(profile),
      thread,
      oneDecimal(busyMicrosecondsPerToken),
      String(samples),
      findings.categories
        .filter((category) => category.thread === thread)
        .slice(0, mostCategories)
        .map(({ category, fraction }) => `${category} ${(fraction * 100).toFixed(0)} %`)
        .join(", "),
    ]),
  );
  const hot = profiles.flatMap(({ findings, ...profile }) =>
    findings.hotFunctions
      .slice(0, mostRows)
      .map(({ thread, name, selfMicrosecondsPerToken, fraction }) => [
        ...shortColumns(profile),
        thread,
        shorten(name),
        oneDecimal(selfMicrosecondsPerToken),
        percent(fraction),
      ]),
  );
  const head = [...modeHead, "thread"];
  const hotHead = [...shortHead, "thread", "function", "µs/token", "share"];
  return [
    ...titledTable(
      "CPU profile, busy µs per token and whose code it was:",
      [...head, "busy", "samples", "whose"],
      rows,
      options,
    ),
    ...titledTable("The hottest functions, without what they call:", hotHead, hot, options),
  ];
}

/** What the threads allocate for each token, and where. */
export function allocations(
  profiles: readonly ProfileOf<"allocations">[],
  options: SummaryOptions,
): string[] {
  const rows = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map(({ thread, bytesPerToken, objectsPerToken }) => [
      ...modeColumns(profile),
      thread,
      bytesPerToken.toFixed(0),
      oneDecimal(objectsPerToken),
      mebibytes(findings.peakMemory.residentBytes),
      mebibytes(findings.peakMemory.heapUsedBytes),
    ]),
  );
  const largest = profiles.flatMap(({ findings, ...profile }) =>
    findings.largest
      .slice(0, mostRows)
      .map(({ thread, name, bytesPerToken }) => [
        ...shortColumns(profile),
        thread,
        shorten(name),
        bytesPerToken.toFixed(0),
      ]),
  );
  const head = [...modeHead, "thread"];
  return [
    ...titledTable(
      "Allocations in JavaScript's heap per token, and the process's peak without the profiler, MiB:",
      [...head, "bytes", "objects", "resident", "JS heap"],
      rows,
      options,
    ),
    ...titledTable(
      "Where most bytes are allocated:",
      [...shortHead, "thread", "function", "B/token"],
      largest,
      options,
    ),
  ];
}

/** What held tokens up. */
export function timeline(
  profiles: readonly ProfileOf<"timeline">[],
  options: SummaryOptions,
): string[] {
  const rows = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map((thread) => [
      ...modeColumns(profile),
      thread.thread,
      String(thread.garbageCollections),
      oneDecimal(thread.garbageCollectionMilliseconds),
      oneDecimal(thread.longestGarbageCollectionMilliseconds),
      oneDecimal(thread.longestEventLoopDelayMilliseconds),
    ]),
  );
  const gaps = profiles.flatMap(({ findings, ...profile }) =>
    findings.slowestGaps
      .slice(0, mostRows)
      .map((gap) => [
        ...modeColumns(profile),
        duration(gap.gapNanoseconds),
        `${(gap.quantile * 100).toFixed(2)} %`,
        `${gap.tokenIndex} of run ${gap.generation}`,
        gap.cause ?? "unknown",
      ]),
  );
  return [
    ...titledTable(
      "Garbage collections (GC) and late event loops, ms:",
      [...modeHead, "thread", "GCs", "all GC", "longest GC", "longest loop delay"],
      rows,
      options,
    ),
    ...titledTable(
      "The slowest gaps between tokens, and what explains them:",
      [...modeHead, "gap", "shorter are", "before token", "cause"],
      gaps,
      options,
    ),
  ];
}

/** Promises, and the time in their reactions. */
export function asyncActivity(
  profiles: readonly ProfileOf<"asyncActivity">[],
  options: SummaryOptions,
): string[] {
  const rows = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map(({ thread, promisesPerToken, reactionMicrosecondsPerToken }) => [
      ...modeColumns(profile),
      thread,
      promisesPerToken.toFixed(2),
      oneDecimal(reactionMicrosecondsPerToken),
    ]),
  );
  const head = [...modeHead, "thread", "promises/token", "µs/token in reactions"];
  return titledTable("Promises:", head, rows, options);
}
