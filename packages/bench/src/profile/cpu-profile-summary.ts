import type { CodeCategory, CpuProfileFindings } from "../record.js";
import { attributionOf, nameOf, type Attribution } from "./code-category.js";
import type { CallFrame, CpuProfile, ThreadReport } from "./diagnostics.js";
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
  const threads = [...groupBy(reports, ({ thread }) => thread)].map(([thread, own]) => ({
    thread,
    functions: mergeFunctions(own.flatMap(({ report }) => [...selfTimes(report)])),
  }));
  const perThread = threads.map(({ thread, functions }) => {
    const busy = functions.reduce((sum, { microseconds }) => sum + microseconds, 0);
    const row = (microseconds: number) => ({
      selfMicrosecondsPerToken: microseconds / tokens,
      fraction: busy === 0 ? 0 : microseconds / busy,
    });
    const categories = [...groupBy(functions, ({ category }) => category)]
      .map(([category, own]) => ({
        thread,
        category,
        ...row(own.reduce((sum, { microseconds }) => sum + microseconds, 0)),
      }))
      .toSorted((first, second) => second.fraction - first.fraction);
    const hotFunctions = functions
      .slice(0, hotFunctionsPerThread)
      .map(({ category, name, microseconds }) => ({
        thread,
        category,
        name,
        ...row(microseconds),
      }));
    return { categories, hotFunctions };
  });
  return {
    kind: "cpuProfile",
    categories: perThread.flatMap(({ categories }) => categories),
    hotFunctions: perThread
      .flatMap(({ hotFunctions }) => hotFunctions)
      .toSorted(
        (first, second) => second.selfMicrosecondsPerToken - first.selfMicrosecondsPerToken,
      ),
  };
}

interface SelfTime {
  readonly category: CodeCategory;
  readonly name: string;
  readonly microseconds: number;
}

/** What each node of one profile took by itself. */
function* selfTimes(profile: CpuProfile): Generator<SelfTime, void, undefined> {
  const microsecondsById = timeByNode(profile);
  for (const { id, frame, caller, attribution } of walk(profile)) {
    const microseconds = microsecondsById.get(id);
    if (microseconds === undefined) continue;
    if (attribution === "asleep" || attribution === "instrument") continue;
    yield { category: attribution, name: nameOf(frame, caller), microseconds };
  }
}

/** A sample stands for the time until the next one, as in Chrome's developer tools. */
function timeByNode({
  samples = [],
  timeDeltas = [],
  startTime,
  endTime,
}: CpuProfile): Map<number, number> {
  const times = new Map<number, number>();
  let last = startTime;
  for (const [index, id] of samples.entries()) {
    last += timeDeltas[index] ?? 0;
    const next = timeDeltas[index + 1] ?? endTime - last;
    times.set(id, (times.get(id) ?? 0) + next);
  }
  return times;
}

interface Visit {
  readonly id: number;
  readonly frame: CallFrame;
  readonly caller: CallFrame | undefined;
  readonly attribution: Attribution;
}

/** Every node, callers before those whom they call. */
function* walk({ nodes }: CpuProfile): Generator<Visit, void, undefined> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const called = new Set(nodes.flatMap(({ children = [] }) => children));
  const waiting: Visit[] = nodes
    .filter(({ id }) => !called.has(id))
    .map(({ id, callFrame: frame }) => ({
      id,
      frame,
      caller: undefined,
      attribution: attributionOf(frame, "other"),
    }));
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    yield visit;
    for (const child of byId.get(visit.id)?.children ?? []) {
      const frame = byId.get(child)?.callFrame;
      if (frame === undefined) continue;
      // Native code called by native code is named after the first caller that has a file.
      const caller = visit.frame.url === "" ? (visit.caller ?? visit.frame) : visit.frame;
      const attribution = attributionOf(frame, visit.attribution);
      waiting.push({ id: child, frame, caller, attribution });
    }
  }
}

/** A function has a node for each way in which it was called. The hottest first. */
function mergeFunctions(selfTimesOfNodes: readonly SelfTime[]): SelfTime[] {
  return [...groupBy(selfTimesOfNodes, ({ category, name }) => `${category} ${name}`).values()]
    .map((own) => ({
      ...(own[0] as SelfTime),
      microseconds: own.reduce((sum, { microseconds }) => sum + microseconds, 0),
    }))
    .toSorted((first, second) => second.microseconds - first.microseconds);
}
