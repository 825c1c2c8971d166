import { analyze } from "./analysis.js";
import { judge } from "./claims.js";
import type { Profile } from "../run/presets.js";
import {
  lessOverhead,
  type CalibrationPoint,
  type Cell,
  type Comparison,
  type Estimates,
  type NetOverhead,
  type ValueWithInterval,
} from "../record/index.js";
import { stageOf } from "../plan/build-stage.js";
import type { GeneratorPlan } from "../plan/generator-plan.js";
import type { Stage } from "../plan/stage.js";

/** Shares by which streaming is slowed: none, and the five that the method asks for. */
export const injectedFractions: readonly number[] = [0, 0.01, 0.03, 0.05, 0.07, 0.1];

/** Limit of the claim that the small experiments decide. */
const limit = 0.05;

/** Blocks of one small experiment, and how many experiments a cell is cut into. */
const blocksPerExperiment = 60;
const experiments = 6;

/** A step that is long against the cost of delivery, so that what is injected is what there is. */
const stepMicroseconds = 1000;
const tokens = 20;

/** An estimate this close to what was injected has recovered it. */
const toleranceFraction = 0.01;

/**
 * The bench measured by itself: a paced engine in the consuming thread, whose
 * streaming modes are slower than `generate()` by a share that is known.
 */
export const calibrationProfile: Profile = {
  name: "calibration",
  description: "known delays of 0 to 10 %, on the paced engine",
  size: "quick",
  lookAtProcesses: [1],
  scenarios: [
    {
      name: "calibration",
      description: "known delays",
      stages: () => injectedFractions.map(stageFor),
    },
  ],
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
    "calibration",
    generator,
    { [tokens]: [blocksPerExperiment * experiments, 60] },
    { "": { injectedFraction } },
  );
}

/** What the bench made of each known delay; nothing for a run without any. */
export function calibrate(cells: readonly Cell[]): CalibrationPoint[] {
  return cells.flatMap((cell) => {
    const { injectedFraction, analysis } = cell;
    if (injectedFraction === undefined || analysis === null) return [];
    return analysis.comparisons.flatMap(({ treatment, overhead }) => {
      if (treatment === "control") return [];
      const own = ownOverhead(cells, treatment);
      return [point(cell, injectedFraction, treatment, overhead, own)];
    });
  });
}

/** What streaming costs where nothing is injected. */
function ownOverhead(
  cells: readonly Cell[],
  treatment: Comparison["treatment"],
): Estimates | undefined {
  const plain = cells.find(({ injectedFraction }) => injectedFraction === 0);
  return plain?.analysis?.comparisons.find((comparison) => comparison.treatment === treatment)
    ?.overhead;
}

function point(
  cell: Cell,
  injectedFraction: number,
  treatment: Exclude<Comparison["treatment"], "control">,
  overhead: Estimates,
  own: Estimates | undefined,
): CalibrationPoint {
  const claim = { id: "calibration", metric: "overhead", treatment, limit, of: {} } as const;
  const verdicts = { upheld: 0, refuted: 0, inconclusive: 0, void: 0 };
  for (
    let from = 0;
    from + blocksPerExperiment <= cell.blocks.length;
    from += blocksPerExperiment
  ) {
    const blocks = cell.blocks.slice(from, from + blocksPerExperiment);
    const experiment = { ...cell, blocks, analysis: analyze(blocks, cell.tokens) };
    verdicts[judge(claim, experiment).verdict] += 1;
  }
  const net: NetOverhead =
    own === undefined || injectedFraction === 0
      ? { hodgesLehmann: overhead.hodgesLehmann, mean: overhead.mean }
      : {
          hodgesLehmann: lessOverhead(overhead.hodgesLehmann, own.hodgesLehmann),
          mean: lessOverhead(overhead.mean, own.mean),
        };
  return {
    cell: cell.id,
    treatment,
    injectedFraction,
    overhead,
    net,
    recovered: [net.hodgesLehmann, net.mean].every((estimate) =>
      recovers(estimate, injectedFraction),
    ),
    limit,
    blocksPerExperiment,
    verdicts,
  };
}

function recovers({ value, interval95 }: ValueWithInterval, injectedFraction: number): boolean {
  return (
    Math.abs(value - injectedFraction) <= toleranceFraction ||
    (interval95.lower <= injectedFraction && injectedFraction <= interval95.upper)
  );
}
