import type { CodeCategory, CpuProfileFindings } from "../record/index.js";
import { callTreeOf } from "./call-tree.js";
import { nameOf } from "./code-category.js";
import { isBusy, visitNodes, type CpuProfile, type NodeTime } from "./cpu-profile-nodes.js";
import type { ThreadReport } from "./thread-report.js";
import { groupBy } from "./group-by.js";

/** Hot functions that are kept of each thread. */
const hotFunctionsPerThread = 10;

/**
 * Self time of each thread by category and by function, over all profiles of
 * the thread. Time asleep and the profiler's own is left out.
 *
 * @param tokens made while the profiles were taken, all together
 */
export function summarizeCpuProfiles(
  reports: readonly ThreadReport<"cpuProfile">[],
  tokens: number,
): CpuProfileFindings {
  const profilesByThread = [...groupBy(reports, ({ thread }) => thread)].map(
    ([thread, own]) => [thread, own.map(({ report }) => report)] as const,
  );
  const threads = profilesByThread.map(([thread, profiles]) =>
    summarizeThread(thread, profiles.flatMap(selfTimes), tokens),
  );
  return {
    kind: "cpuProfile",
    threads: threads.map(({ total }) => total),
    categories: threads.flatMap(({ categories }) => categories),
    hotFunctions: threads
      .flatMap(({ hotFunctions }) => hotFunctions)
      .toSorted(
        (first, second) => second.selfMicrosecondsPerToken - first.selfMicrosecondsPerToken,
      ),
    callTrees: profilesByThread.map(([thread, profiles]) => callTreeOf(thread, profiles, tokens)),
  };
}

/** What one function, or one category, took by itself. */
interface SelfTime extends NodeTime {
  readonly category: CodeCategory;
  readonly name: string;
}

function summarizeThread(thread: string, nodes: readonly SelfTime[], tokens: number) {
  const functions = merge(nodes, ({ category, name }) => `${category} ${name}`);
  const [all] = merge(nodes, () => "all");
  const busy = all?.microseconds ?? 0;
  const row = ({ category, microseconds }: SelfTime) => ({
    thread,
    category,
    selfMicrosecondsPerToken: microseconds / tokens,
    fraction: busy === 0 ? 0 : microseconds / busy,
  });
  return {
    total: { thread, samples: all?.samples ?? 0, busyMicrosecondsPerToken: busy / tokens },
    categories: merge(nodes, ({ category }) => category).map(row),
    hotFunctions: functions
      .slice(0, hotFunctionsPerThread)
      .map((own) => ({ name: own.name, ...row(own) })),
  };
}

/** Sums what has the same key. A function has a node for each way in which it was called. */
function merge(times: readonly SelfTime[], keyOf: (time: SelfTime) => string): SelfTime[] {
  return [...groupBy(times, keyOf).values()]
    .map((own) => ({
      ...(own[0] as SelfTime),
      microseconds: own.reduce((sum, { microseconds }) => sum + microseconds, 0),
      samples: own.reduce((sum, { samples }) => sum + samples, 0),
    }))
    .toSorted((first, second) => second.microseconds - first.microseconds);
}

/** What each node of one profile took by itself. */
function selfTimes(profile: CpuProfile): SelfTime[] {
  return [...visitNodes(profile)].flatMap(({ frame, caller, attribution, time }) =>
    time !== undefined && isBusy(attribution)
      ? [{ category: attribution, name: nameOf(frame, caller), ...time }]
      : [],
  );
}
