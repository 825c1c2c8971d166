import type { Preset } from "../src/run/presets.js";
import { mainThreadMeasurement } from "../src/scenarios/main-thread.js";
import type { CellPlan, Stage } from "../src/plan/stage.js";

export function cellPlan(changes: Partial<CellPlan> = {}): CellPlan {
  return {
    id: "fake-10",
    scenario: "model",
    generator: "fake",
    engine: "onnx",
    model: "fake",
    host: "inline",
    tokens: 10,
    blocks: 8,
    timeBudgetSeconds: 1000,
    expectedBlockSeconds: 1,
    ...changes,
  };
}

/** Cells over one fake generator, and the main thread. */
export function stageOfCells(...cells: CellPlan[]): Stage {
  return {
    generator: { id: "fake", engine: "onnx", model: "fake", host: "inline" },
    prompt: [1, 2, 3],
    cells,
    measurements: [
      mainThreadMeasurement({
        treatment: "stream",
        tokens: 10,
        generations: 1,
        expectedSecondsPerToken: 0.12,
      }),
    ],
  };
}

export function presetOf(...cells: CellPlan[]): Preset {
  return {
    name: "test",
    description: "a fake generator",
    size: "quick",
    lookAtProcesses: [1],
    scenarios: [{ name: "test", description: "", stages: () => [stageOfCells(...cells)] }],
  };
}
