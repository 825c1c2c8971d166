import type { TimelineFindings } from "../record/index.js";
import { groupBy } from "./group-by.js";
import { findSlowestGaps, type ObservedTokens } from "./slow-gaps.js";

/** Pauses and delays of each thread over all generations, and the slowest gaps joined to them. */
export function summarizeTimelines(generations: readonly ObservedTokens[]): TimelineFindings {
  const reports = generations.flatMap(({ timelines }) => timelines);
  return {
    kind: "timeline",
    threads: [...groupBy(reports, ({ thread }) => thread)].map(([thread, own]) => {
      const pauses = own.flatMap(({ report }) => report.garbageCollections);
      const delays = own.flatMap(({ report }) => report.eventLoopDelays);
      return {
        thread,
        garbageCollections: pauses.length,
        garbageCollectionMilliseconds: pauses.reduce(
          (sum, { durationMilliseconds }) => sum + durationMilliseconds,
          0,
        ),
        longestGarbageCollectionMilliseconds: longest(pauses),
        longestEventLoopDelayMilliseconds: longest(delays),
      };
    }),
    slowestGaps: findSlowestGaps(generations),
  };
}

function longest(events: readonly { readonly durationMilliseconds: number }[]): number {
  return events.reduce((most, { durationMilliseconds }) => Math.max(most, durationMilliseconds), 0);
}
