import { analyze, groupByProcess } from "./analysis.js";
import { judge } from "./claims.js";
import { fewestProcesses } from "../statistics/index.js";
import {
  lessOverhead,
  type Block,
  type CalibrationPoint,
  type Cell,
  type Comparison,
  type Estimates,
  type NetOverhead,
  type ValueWithInterval,
} from "../record/index.js";

/** Limit of the claim that the small experiments decide. */
const limit = 0.05;

/** Blocks that each process gives to one small experiment. */
export const blocksOfProcess = 8;

/** Blocks of one small experiment: as few as a verdict needs, from as few processes. */
const blocksPerExperiment: number = fewestProcesses * blocksOfProcess;

/** An estimate this close to what was injected has recovered it. */
const toleranceFraction = 0.01;

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
  for (const blocks of experimentsOf(cell)) {
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

/** The next {@link blocksOfProcess} blocks of each process, as often as all have them. */
function experimentsOf({ blocks }: Cell): Block[][] {
  const processes = groupByProcess(blocks);
  const fewest = Math.min(...processes.map(({ length }) => length));
  return Array.from({ length: Math.floor(fewest / blocksOfProcess) }, (_, experiment) =>
    processes.flatMap((part) =>
      part.slice(experiment * blocksOfProcess, (experiment + 1) * blocksOfProcess),
    ),
  );
}

function recovers({ value, interval95 }: ValueWithInterval, injectedFraction: number): boolean {
  return (
    Math.abs(value - injectedFraction) <= toleranceFraction ||
    (interval95.lower <= injectedFraction && injectedFraction <= interval95.upper)
  );
}
