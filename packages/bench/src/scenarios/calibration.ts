import { blocksOfProcess } from "../conclude/calibration.js";
import { stageOf } from "../plan/build-stage.js";
import type { GeneratorPlan } from "../plan/generator-plan.js";
import type { Scenario, Stage } from "../plan/stage.js";

/** Shares by which streaming is slowed: none, and the five that the method asks for. */
export const injectedFractions: readonly number[] = [0, 0.01, 0.03, 0.05, 0.07, 0.1];

/** Small experiments into which the blocks of a cell are cut. */
const experiments = 6;

/** A step that is long against the cost of delivery, so that what is injected is what there is. */
const stepMicroseconds = 1000;
const tokens = 20;

/**
 * The bench measured by itself: a paced engine in the consuming thread, whose
 * streaming modes are slower than `generate()` by a share that is known.
 */
export const calibration: Scenario = {
  name: "calibration",
  description: "known delays",
  stages: () => injectedFractions.map(stageFor),
};

function stageFor(injectedFraction: number): Stage {
  const percent = String(Number((injectedFraction * 100).toFixed(2)));
  const generator: GeneratorPlan = {
    id: `paced-${stepMicroseconds}us-inline-plus-${percent}`,
    engine: "paced",
    model: `paced ${stepMicroseconds} µs, streams + ${percent} %`,
    host: "inline",
    stepMicroseconds,
    injectedFraction,
  };
  return stageOf(
    calibration.name,
    generator,
    { [tokens]: [blocksOfProcess * experiments, 60] },
    { "": { injectedFraction } },
  );
}
