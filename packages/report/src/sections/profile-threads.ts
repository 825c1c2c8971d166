import type { ProfileOf, ResultRecord } from "@streamgauge/bench/record";
import { duration, mebibytes, oneDecimal, percent, wholeBytes } from "../text/numbers.js";
import { modeColumns, modeHead, section } from "./section.js";

const threadHead = [...modeHead, "thread"] as const;

/** Whose code the threads were in, and the hottest functions. */
export function cpuProfile(
  record: ResultRecord,
  profiles: readonly ProfileOf<"cpuProfile">[],
): string[] {
  const categories = profiles.flatMap(({ findings, ...profile }) =>
    findings.categories.map(({ thread, category, selfMicrosecondsPerToken, fraction }) => [
      ...modeColumns(profile),
      thread,
      category,
      oneDecimal(selfMicrosecondsPerToken),
      percent(fraction),
    ]),
  );
  const busy = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map(({ thread, samples, busyMicrosecondsPerToken }) => {
      const [model, host, tokens, mode] = modeColumns(profile);
      return (
        `${model}, ${host}, ${mode}, ${tokens} tokens, ${thread}: busy ` +
        `${oneDecimal(busyMicrosecondsPerToken)} µs per token, ${samples} samples.`
      );
    }),
  );
  const hottest = profiles.flatMap(({ findings, ...profile }) =>
    findings.hotFunctions.map(({ thread, category, name, selfMicrosecondsPerToken, fraction }) => [
      ...modeColumns(profile),
      thread,
      name,
      category,
      oneDecimal(selfMicrosecondsPerToken),
      percent(fraction),
    ]),
  );
  return [
    section(record, "CPU profile: whose code", categories, {
      head: [...threadHead, "whose", "µs per token", "share"],
      definitions: ["CPU profile"],
      notes: busy,
      level: 3,
    }),
    section(record, "CPU profile: the hottest functions", hottest, {
      head: [...threadHead, "function", "whose", "µs per token", "share"],
      definitions: [],
      level: 3,
    }),
  ];
}

/** What the threads allocate for each token, and where. */
export function allocations(
  record: ResultRecord,
  profiles: readonly ProfileOf<"allocations">[],
): string[] {
  const threads = profiles.flatMap(({ findings: { peakMemory, ...findings }, ...profile }) =>
    findings.threads.map(({ thread, bytesPerToken, objectsPerToken }) => [
      ...modeColumns(profile),
      thread,
      wholeBytes(bytesPerToken),
      oneDecimal(objectsPerToken),
      mebibytes(peakMemory.residentBytes),
      mebibytes(peakMemory.heapUsedBytes),
      mebibytes(peakMemory.externalBytes),
      mebibytes(peakMemory.arrayBufferBytes),
    ]),
  );
  const largest = profiles.flatMap(({ findings, ...profile }) =>
    findings.largest.map(({ thread, category, name, bytesPerToken }) => [
      ...modeColumns(profile),
      thread,
      name,
      category,
      wholeBytes(bytesPerToken),
    ]),
  );
  return [
    section(record, "Allocations", threads, {
      head: [
        ...threadHead,
        "bytes per token",
        "objects per token",
        "peak resident",
        "heap",
        "external",
        "array buffers",
      ],
      definitions: ["bytes per token"],
      notes: ["The peaks are of the process, in the runs without the profiler."],
      level: 3,
    }),
    section(record, "Allocations: where most bytes are", largest, {
      head: [...threadHead, "function", "whose", "bytes per token"],
      definitions: [],
      level: 3,
    }),
  ];
}

/** What held tokens up. */
export function timeline(
  record: ResultRecord,
  profiles: readonly ProfileOf<"timeline">[],
): string[] {
  const threads = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map((thread) => [
      ...modeColumns(profile),
      thread.thread,
      String(thread.garbageCollections),
      `${oneDecimal(thread.garbageCollectionMilliseconds)} ms`,
      `${oneDecimal(thread.longestGarbageCollectionMilliseconds)} ms`,
      `${oneDecimal(thread.longestEventLoopDelayMilliseconds)} ms`,
    ]),
  );
  const gaps = profiles.flatMap(({ findings, ...profile }) =>
    findings.slowestGaps.map(({ gapNanoseconds, quantile, generation, tokenIndex, cause }) => [
      ...modeColumns(profile),
      duration(gapNanoseconds),
      `${(quantile * 100).toFixed(2)} %`,
      String(generation),
      String(tokenIndex),
      cause ?? "unknown",
    ]),
  );
  return [
    section(record, "Timeline: garbage collections and late event loops", threads, {
      head: [
        ...threadHead,
        "garbage collections",
        "all of them",
        "longest",
        "longest event-loop delay",
      ],
      definitions: [],
      level: 3,
    }),
    section(record, "Timeline: the slowest gaps between tokens", gaps, {
      head: [...modeHead, "gap", "shorter are", "generation", "before token", "cause"],
      definitions: ["cause of a gap"],
      level: 3,
    }),
  ];
}

/** Promises, and the time in their reactions. */
export function asyncActivity(
  record: ResultRecord,
  profiles: readonly ProfileOf<"asyncActivity">[],
): string {
  const rows = profiles.flatMap(({ findings, ...profile }) =>
    findings.threads.map(({ thread, promisesPerToken, reactionMicrosecondsPerToken }) => [
      ...modeColumns(profile),
      thread,
      promisesPerToken.toFixed(2),
      oneDecimal(reactionMicrosecondsPerToken),
    ]),
  );
  return section(record, "Promises", rows, {
    head: [...threadHead, "promises per token", "µs per token in reactions"],
    definitions: ["promises per token"],
    level: 3,
  });
}
