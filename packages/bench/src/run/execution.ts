import { StreamgaugeError } from "@streamgauge/core";
import type { Clock } from "../plan/clock.js";
import { runCells, type CellPart } from "../measure/experiment.js";
import { isWarmAfter } from "../measure/warm-up.js";
import type { RunSink } from "./journal.js";
import type { Work } from "../measure/measured-run.js";
import type { RawBlock } from "../measure/raw-samples.js";
import { ProgressTracker, type BenchProgress } from "./progress.js";
import type { GeneratorPlan, OpenGenerator, ScenarioGenerator } from "../plan/generator-plan.js";
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
  const { report } = execution;
  const open = stage.open ?? execution.open;
  report(tracker.at("open", stage.generator.id));
  const { counterpart } = stage;
  const gated = stage.cells.some(({ sliceTokens }) => sliceTokens !== undefined);
  const plan = gated ? { ...stage.generator, gated } : stage.generator;
  const generator = await opened(plan, open, execution);
  try {
    const other = counterpart && (await opened(counterpart.generator, counterpart.open, execution));
    try {
      await runCellsOf(
        [generator, ...(other === undefined ? [] : [other])],
        stage,
        execution,
        tracker,
      );
      await runMeasurements(generator, stage, { ...execution, open }, tracker);
    } finally {
      await other?.close();
    }
  } finally {
    await generator.close();
  }
}

/** Makes a generator, and tells the sink. */
async function opened(
  plan: GeneratorPlan,
  open: OpenGenerator,
  { clock, sink }: Execution,
): Promise<ScenarioGenerator> {
  const { id, engine, model, host } = plan;
  const start = clock.nowNanoseconds();
  const generator = await open(plan);
  try {
    const openNanoseconds = Math.round(clock.nowNanoseconds() - start);
    const description = generator.describe() ?? null;
    await sink.generatorOpened({ id, engine, model, host, openNanoseconds, description });
    return generator;
  } catch (error) {
    await generator.close();
    throw error;
  }
}

/** @param generators the stage's own, and its counterpart where it has one */
async function runCellsOf(
  generators: readonly ScenarioGenerator[],
  stage: Stage,
  execution: Execution,
  tracker: ProgressTracker,
): Promise<void> {
  const { clock, seed, process, signal, sink, report } = execution;
  const warm: CellPlan[] = [];
  for (const plan of stage.cells) {
    if (isAborted(execution)) return;
    const other = stage.counterpart?.cells.find(({ id }) => id === plan.against);
    const plans = other === undefined ? [plan] : [plan, other];
    report(tracker.inCell("warm-up", plan, 0));
    for (const each of plans) await sink.cellBegun(each, process);
    const subjects = plans.map((each, index) => ({
      plan: each,
      generator: generators[index] as ScenarioGenerator,
    }));
    const parts = await runCells(subjects, {
      clock,
      // Other orders in each process.
      seed: seedOfProcess(seed, process),
      process,
      signal,
      work: workOf(stage, plan, seed),
      isWarm: warm.some((before) => isWarmAfter(before, plan)),
      prompts: stage.prompts,
      onWarmUp: (blocks) => report(tracker.inCell("warm-up", plan, blocks)),
      onBlocks: async (blocks, measured) => {
        report(tracker.inCell("measure", plan, measured));
        for (const [index, each] of plans.entries()) {
          await sink.blockDone(each.id, blocks[index] as RawBlock);
        }
      },
    });
    tracker.cellEnded(plan, parts[0]?.blocks ?? 0);
    if (parts.every(({ status, warmUp }) => status === "complete" && warmUp.steady))
      warm.push(plan);
    for (const [index, each] of plans.entries()) {
      await sink.cellDone(each.id, parts[index] as CellPart);
    }
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
