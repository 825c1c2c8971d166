import type { ThreadReports } from "@streamgauge/runtime/diagnostics";
import type { CodeCategory } from "../record/index.js";
import { attributionOf, type Attribution, type CallFrame } from "./code-category.js";

/** What V8 sampled of one thread. Times in microseconds. */
export type CpuProfile = ThreadReports["cpuProfile"];

/** What a node took by itself. */
export interface NodeTime {
  readonly microseconds: number;
  readonly samples: number;
}

/** A node of a CPU profile: a function, as it was called on one way. */
export interface Visit {
  readonly id: number;
  /** Id of the node that called it. */
  readonly callerId: number | undefined;
  readonly frame: CallFrame;
  /** The closest one with a file. */
  readonly caller: CallFrame | undefined;
  readonly attribution: Attribution;
  /** Undefined where no sample was taken. */
  readonly time: NodeTime | undefined;
}

/** Whether it is time that the thread worked for the run. */
export function isBusy(attribution: Attribution): attribution is CodeCategory {
  return attribution !== "asleep" && attribution !== "instrument";
}

/** Every node, callers before those whom they call. */
export function* visitNodes(profile: CpuProfile): Generator<Visit, void, undefined> {
  const { nodes } = profile;
  const times = timeByNode(profile);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const called = new Set(nodes.flatMap(({ children }) => children ?? []));
  const visitOf = (id: number, frame: CallFrame, from?: Visit): Visit => ({
    id,
    callerId: from?.id,
    frame,
    caller: from === undefined || from.frame.url !== "" ? from?.frame : from.caller,
    attribution: attributionOf(frame, from?.attribution ?? "other"),
    time: times.get(id),
  });
  const waiting = nodes
    .filter(({ id }) => !called.has(id))
    .map(({ id, callFrame }) => visitOf(id, callFrame));
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    yield visit;
    for (const id of byId.get(visit.id)?.children ?? []) {
      const frame = byId.get(id)?.callFrame;
      if (frame !== undefined) waiting.push(visitOf(id, frame, visit));
    }
  }
}

/** A sample stands for the time until the next one, as in Chrome's developer tools. */
function timeByNode({
  samples = [],
  timeDeltas = [],
  startTime,
  endTime,
}: CpuProfile): Map<number, NodeTime> {
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
