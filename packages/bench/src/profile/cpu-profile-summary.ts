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
  const threads = [...groupBy(reports, ({ thread }) => thread)].map(([thread, own]) =>
    summarizeThread(
      thread,
      own.flatMap(({ report }) => [...selfTimes(report)]),
      tokens,
    ),
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
  };
}

/** What one function, or one category, took by itself. */
interface SelfTime {
  readonly category: CodeCategory;
  readonly name: string;
  readonly microseconds: number;
  readonly samples: number;
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
function* selfTimes(profile: CpuProfile): Generator<SelfTime, void, undefined> {
  const timesById = timeByNode(profile);
  for (const { id, frame, caller, attribution } of walk(profile)) {
    const time = timesById.get(id);
    if (time === undefined || attribution === "asleep" || attribution === "instrument") continue;
    yield { category: attribution, name: nameOf(frame, caller), ...time };
  }
}

/** A sample stands for the time until the next one, as in Chrome's developer tools. */
function timeByNode({
  samples = [],
  timeDeltas = [],
  startTime,
  endTime,
}: CpuProfile): Map<number, Pick<SelfTime, "microseconds" | "samples">> {
  const times = new Map<number, { microseconds: number; samples: number }>();
  let now = startTime;
  for (const [index, id] of samples.entries()) {
    now += timeDeltas[index] ?? 0;
    const time = times.get(id) ?? { microseconds: 0, samples: 0 };
    time.microseconds += timeDeltas[index + 1] ?? endTime - now;
    time.samples += 1;
    times.set(id, time);
  }
  return times;
}

interface Visit {
  readonly id: number;
  readonly frame: CallFrame;
  /** The closest one with a file. */
  readonly caller: CallFrame | undefined;
  readonly attribution: Attribution;
}

/** Every node, callers before those whom they call. */
function* walk({ nodes }: CpuProfile): Generator<Visit, void, undefined> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const called = new Set(nodes.flatMap(({ children }) => children ?? []));
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
    const caller = visit.frame.url === "" ? visit.caller : visit.frame;
    for (const id of byId.get(visit.id)?.children ?? []) {
      const frame = byId.get(id)?.callFrame;
      if (frame === undefined) continue;
      waiting.push({ id, frame, caller, attribution: attributionOf(frame, visit.attribution) });
    }
  }
}
