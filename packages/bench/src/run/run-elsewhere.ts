import type { Stage } from "../plan/stage.js";
import type { ResultRecord } from "../record/index.js";
import type { BenchOptions } from "./bench-options.js";
import type { Run } from "./open-run.js";
import type { Elsewhere, PartOrder, PartsProgress } from "./parts/elsewhere.js";
import { replayPart } from "./parts/replay-part.js";
import { planStages } from "./plan-stages.js";
import type { BenchProgress } from "./progress.js";

/** The processes of one look. */
export interface AskedProcesses {
  /** The first of them, from 0. */
  readonly first: number;
  /** As many as there are when they are done. */
  readonly processes: number;
  /** Index of the look. */
  readonly look: number;
  /** Ids of cells that need no further process. */
  readonly decided: readonly string[];
}

/** A process that others are asked to measure, and what that is. */
interface AskedPart {
  readonly order: PartOrder;
  readonly stages: readonly Stage[];
}

/**
 * Has the processes of a look measured by other machines, and puts what they say into the record in
 * the order of the processes: the record is the same whoever measured what, and in which order.
 *
 * A part is measured whole, also where a record that is resumed has some of it already, so that its
 * order, and with it its name, is always the same.
 */
export async function measureElsewhere(
  run: Run,
  options: BenchOptions & { readonly elsewhere: Elsewhere },
  asked: AskedProcesses,
): Promise<void> {
  const { journal, scenarios } = run;
  const { elsewhere, signal, onProgress = () => undefined } = options;
  const parts: AskedPart[] = [];
  for (let process = asked.first; process < asked.processes; process += 1) {
    const order = orderOf(run, asked, process);
    const leaveOut = [...asked.decided, ...doneBefore(journal.record, process)];
    const isLeft = (await planStages({ ...order, leaveOut }, scenarios)).length > 0;
    if (isLeft) parts.push({ order, stages: await planStages(order, scenarios) });
  }
  let done = 0;
  const report = (progress: PartsProgress): void => onProgress(progressOf(progress, done, parts));
  const orders = parts.map(({ order }) => order);
  for await (const recorded of elsewhere.measure(orders, { signal, report })) {
    if (signal?.aborted === true) return;
    const { order, stages } = parts[done] as AskedPart;
    const { runId, process } = order;
    await replayPart(recorded, {
      expected: { runId, process },
      stages,
      leaveOut: doneBefore(journal.record, process),
      sink: journal,
      // First: whoever goes on after a crash asks for no process that is whole, and so learns no more of it.
      onChecked: () => journal.measuredBy(process, recorded.machine),
    });
    await elsewhere.taken(order);
    done += 1;
  }
}

/** Ids of what a process has measured already; failed cells are not tried again. */
export function doneBefore({ cells, plan }: ResultRecord, process: number): string[] {
  const done = cells.filter(
    ({ status, processes }) =>
      status === "failed" ||
      processes.some((part) => part.process === process && part.status === "complete"),
  );
  return [...done.map(({ id }) => id), ...plan.measured];
}

function orderOf(
  { order, seed, journal }: Run,
  { look, decided }: AskedProcesses,
  process: number,
): PartOrder {
  const { profile, runId } = journal.record;
  return { ...order, preset: profile, seed, runId, look, process, leaveOut: decided };
}

function progressOf(
  { subject, isWaiting }: PartsProgress,
  done: number,
  parts: readonly AskedPart[],
): BenchProgress {
  return {
    phase: isWaiting ? "wait" : "measure",
    subject,
    block: done,
    blocks: parts.length,
    fractionDone: parts.length === 0 ? 1 : done / parts.length,
    secondsLeft: undefined,
  };
}
