import {
  endpointMetrics,
  treatments,
  type Block,
  type Cell,
  type EndpointComparison,
  type EndpointMetric,
  type Run,
  type Treatment,
} from "../record/index.js";
import { estimateProcesses, median, minimumSamples, rescale } from "../statistics/index.js";

/**
 * Each cell that was measured against another, run by run of the same block: what drifts
 * slower than a block lasts cancels. A metric that no run has is left out.
 */
export function compareEndpoints(cells: readonly Cell[]): EndpointComparison[] {
  return cells.flatMap((cell) => {
    const other = cells.find(({ id }) => id === cell.against);
    if (other === undefined) return [];
    return treatments
      .filter((treatment) => treatment !== "control")
      .flatMap((treatment) =>
        endpointMetrics.flatMap((metric) => compare(cell, other, treatment, metric)),
      );
  });
}

function compare(
  cell: Cell,
  other: Cell,
  treatment: Treatment,
  metric: EndpointMetric,
): EndpointComparison[] {
  const own = byProcess(cell.blocks, treatment, metric);
  const others = byProcess(other.blocks, treatment, metric);
  const pairs = [...own]
    .map(([process, values]) =>
      values.flatMap((value, index) => {
        const against = others.get(process)?.[index];
        return value && against ? [{ value, against, log: Math.log(value / against) }] : [];
      }),
    )
    .filter(({ length }) => length > 0);
  const all = pairs.flat();
  if (all.length === 0) return [];
  const logs = pairs.map((part) => part.map(({ log }) => log));
  const estimate = all.length < minimumSamples ? null : estimateProcesses(logs);
  return [
    {
      cell: cell.id,
      against: other.id,
      treatment,
      metric,
      nanoseconds: median(all.map(({ value }) => value)),
      againstNanoseconds: median(all.map(({ against }) => against)),
      blocks: all.length,
      processes: pairs.length,
      level: estimate?.level ?? "within processes",
      ratio: estimate && rescale(estimate.estimates, Math.exp),
    },
  ];
}

/** Values of a metric, block by block; null where the run has none. */
function byProcess(
  blocks: readonly Block[],
  treatment: Treatment,
  metric: EndpointMetric,
): ReadonlyMap<number, readonly (number | null)[]> {
  const processes = new Map<number, (number | null)[]>();
  for (const { process = 0, runs } of blocks) {
    const run = runs.find((candidate) => candidate.treatment === treatment);
    const values = processes.get(process) ?? [];
    processes.set(process, [...values, run === undefined ? null : valueOf(run, metric)]);
  }
  return processes;
}

function valueOf(run: Run, metric: EndpointMetric): number | null {
  switch (metric) {
    case "timeToFirstToken":
      return run.timeToFirstTokenNanoseconds;
    case "timePerOutputToken":
      return run.timePerOutputTokenNanoseconds;
    case "endToEndPerToken":
      return run.tokens === undefined ? null : run.endToEndNanoseconds / run.tokens;
    default:
      return metric satisfies never;
  }
}
