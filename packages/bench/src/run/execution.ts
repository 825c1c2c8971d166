import { StreamgaugeError } from "@streamgauge/core";
import type { Clock } from "../plan/clock.js";
import { runCell } from "../measure/experiment.js";
import { isWarmAfter } from "../measure/warm-up.js";
import type { RunSink } from "./journal.js";
import type { Work } from "../measure/measured-run.js";
import { ProgressTracker, type BenchProgress } from "./progress.js";
import type { OpenGenerator, ScenarioGenerator } from "../plan/generator-plan.js";
import type { CellPlan, MeasurementPlan, Measurements, Stage } from "../plan/stage.js";
import { findWorkload } from "../plan/workloads.js";

/** What one process measures. */
export interface Execution {
  readonly stages: readonly Stage[];
  /** Which of the run's processes this is, from 0. */
  readonly process: number;
  readonly seed: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  /** For stages that do not say how. */
  readonly open: OpenGenerator;
  readonly sink: RunSink;
  readonly report: (progress: BenchProgress) => void;
}

/**
 * Measures generator by generator, cell by cell, and tells the sink. A cell or a
 * measurement that fails does not throw; a generator that cannot be made does.
 */
export async function execute(execution: Execution): Promise<void> {
  const tracker = new ProgressTracker(execution.clock, execution.stages);
  for (const stage of execution.stages) {
    if (isAborted(execution)) return;
    await runStage(stage, execution, tracker);
  }
}

async function runStage(
  stage: Stage,
  execution: Execution,
  tracker: ProgressTracker,
): Promise<void> {
  const { clock, sink, report } = execution;
  const { id, engine, model, host } = stage.generator;
  const open = stage.open ?? execution.open;
  report(tracker.at("open", id));
  const start = clock.nowNanoseconds();
  const generator = await open(stage.generator);
  try {
    const openNanoseconds = Math.round(clock.nowNanoseconds() - start);
    const description = generator.describe() ?? null;
    await sink.generatorOpened({ id, engine, model, host, openNanoseconds, description });
    await runCells(generator, stage, execution, tracker);
    await runMeasurements(generator, stage, { ...execution, open }, tracker);
  } finally {
    await generator.close();
  }
}

async function runCells(
  generator: ScenarioGenerator,
  stage: Stage,
  execution: Execution,
  tracker: ProgressTracker,
): Promise<void> {
  const { clock, seed, process, signal, sink, report } = execution;
  const warm: CellPlan[] = [];
  for (const plan of stage.cells) {
    if (isAborted(execution)) return;
    report(tracker.inCell("warm-up", plan, 0));
    await sink.cellBegun(plan, process);
    const part = await runCell(generator, plan, {
      clock,
      // Other orders in each process.
      seed: seedOfProcess(seed, process),
      process,
      signal,
      work: workOf(stage, plan, seed),
      isWarm: warm.some((before) => isWarmAfter(before, plan)),
      onWarmUp: (blocks) => report(tracker.inCell("warm-up", plan, blocks)),
      onBlock: async (block, blocks) => {
        report(tracker.inCell("measure", plan, blocks));
        await sink.blockDone(plan.id, block);
      },
    });
    tracker.cellEnded(plan, part.blocks);
    if (part.status === "complete" && part.warmUp.steady) warm.push(plan);
    await sink.cellDone(plan.id, part);
  }
}

async function runMeasurements(
  generator: ScenarioGenerator,
  stage: Stage,
  execution: Execution,
  tracker: ProgressTracker,
): Promise<void> {
  const { clock, seed, signal, open, sink, report } = execution;
  for (const plan of stage.measurements) {
    if (isAborted(execution)) return;
    const id = measurementId(stage, plan);
    report(tracker.at("measurement", id));
    const measurements = await plan
      .measure(generator, {
        clock,
        seed,
        plan: stage.generator,
        prompt: stage.prompt,
        signal,
        open,
        saveFile: (name, content) => sink.fileMade(name, content),
        report: (step) => report(tracker.at("measurement", `${id}, ${step}`)),
      })
      .catch((error: unknown): Measurements => {
        const { code, message } = StreamgaugeError.toWire(error, "ENGINE_FAILED");
        return { failedMeasurements: [{ id, code, message }] };
      });
    tracker.measurementEnded(plan);
    // What was interrupted would count as done.
    if (!isAborted(execution)) await sink.measured(id, measurements);
  }
}

/** The seed of a process's block orders. */
export function seedOfProcess(seed: number, process: number): number {
  return (seed + process) % 2 ** 32;
}

/** Unique in a run. */
export function measurementId({ generator }: Stage, { id }: MeasurementPlan): string {
  return `${generator.id} ${id}`;
}

/** What each treatment of a cell is asked for: greedy, and past the end of the text, unless told otherwise. */
function workOf({ prompt }: Stage, { tokens, config, workload }: CellPlan, seed: number): Work {
  return {
    prompt,
    config: { ...(config ?? { ignoreEos: true, temperature: 0 }), seed, maxTokens: tokens },
    workload: workload === undefined ? undefined : findWorkload(workload),
  };
}

function isAborted({ signal }: Execution): boolean {
  return signal?.aborted === true;
}
