import { isMadeFor, type Claim } from "../conclude/claims.js";
import type { ResultRecord } from "../record/index.js";
import { openGenerator } from "../scenarios/open-generator.js";
import type { BenchOptions, BenchOutcome } from "./bench-options.js";
import { execute } from "./execution.js";
import { expectedSeconds } from "./expected-time.js";
import { openRun, type Run } from "./open-run.js";
import { planStages } from "./plan-stages.js";
import { shareOut } from "./share-out.js";
import { runProcess } from "./process/run-process.js";
import { overAllProcesses } from "./progress.js";
import { doneBefore, measureElsewhere } from "./run-elsewhere.js";

/**
 * Runs the bench, here or on other machines: process by process, generator by generator, cell by cell, each
 * cell in interleaved blocks. The record is saved while it grows, and the raw
 * samples beside it as each cell ends.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for options that select nothing
 *   known; whatever making a generator throws; `PROCESS_FAILED`. A cell that
 *   fails does not throw: the record says so.
 */
export async function runBench(options: BenchOptions = {}): Promise<BenchOutcome> {
  const run = await openRun(options);
  const { journal, looks, claims } = run;
  const isAborted = (): boolean => options.signal?.aborted === true;
  let process = 0;
  let decided: readonly string[] = [];
  try {
    // What is begun can be resumed, also before the first cell is done.
    if (options.elsewhere !== undefined) await journal.save();
    for (const [look, { processes }] of looks.entries()) {
      if (options.elsewhere !== undefined) {
        const asked = { first: process, processes, look, decided };
        await measureElsewhere(run, { ...options, elsewhere: options.elsewhere }, asked);
        process = processes;
      }
      for (; process < processes && !isAborted(); process += 1) {
        await measureInProcess(run, options, { process, processes, decided });
      }
      if (isAborted()) break;
      journal.judge();
      decided = decidedCells(journal.record, claims);
    }
  } catch (error) {
    await journal.end("interrupted");
    throw error;
  }
  return await journal.end(isAborted() ? "interrupted" : "complete");
}

/** Where a run is. */
interface Position {
  /** The process that measures, from 0. */
  readonly process: number;
  /** As many as there are at the next look. */
  readonly processes: number;
  /** Ids of cells that need no further process. */
  readonly decided: readonly string[];
}

/** Measures here where one process is all there is, and otherwise in a fresh one. */
async function measureInProcess(
  run: Run,
  options: BenchOptions,
  { process, processes, decided }: Position,
): Promise<void> {
  const { journal, order, scenarios, seed, clock, looks } = run;
  const { signal, onProgress = () => undefined } = options;
  const allotted = await allot(run, { process, processes, decided });
  const leaveOut = [...decided, ...doneBefore(journal.record, process)];
  const stages = await planStages({ ...order, process, leaveOut, allotted }, scenarios);
  if (stages.length === 0) return;
  if (looks.length === 1 && processes === 1) {
    const open = options.openGenerator ?? openGenerator;
    const report = onProgress;
    await execute({ stages, process, seed, clock, signal, open, sink: journal, report });
    return;
  }
  const all = Array.from({ length: processes }, (_, index) =>
    planStages({ ...order, process: index, leaveOut: decided, allotted }, scenarios),
  );
  const expected = (await Promise.all(all)).map(expectedSeconds);
  await runProcess(
    { ...order, preset: journal.record.profile, process, seed, leaveOut, allotted },
    {
      sink: journal,
      signal,
      report: (progress) => onProgress(overAllProcesses(progress, process, expected)),
    },
  );
}

/** Blocks that a run with a time for all of it gives a process's cells. */
async function allot(
  { journal, order, scenarios, claims, budgetSeconds }: Run,
  { process, processes, decided }: Position,
): Promise<Readonly<Record<string, number>>> {
  if (budgetSeconds === undefined) return {};
  // The whole process, also where a part of it is done: a resumed run shares out as it did.
  const stages = await planStages({ ...order, process, leaveOut: decided }, scenarios);
  const { record } = journal;
  return shareOut({ stages, record, claims, process, processes, budgetSeconds });
}

/** A cell goes on while a claim about it is undecided; without claims it has what it needs. */
function decidedCells(
  { cells, claims: results }: ResultRecord,
  claims: readonly Claim[],
): string[] {
  return cells
    .filter(
      (cell) =>
        !claims.some((claim) => isMadeFor(claim, cell)) ||
        results
          .filter((result) => result.cell === cell.id)
          .every(({ verdict }) => verdict === "upheld" || verdict === "refuted"),
    )
    .map(({ id }) => id);
}
