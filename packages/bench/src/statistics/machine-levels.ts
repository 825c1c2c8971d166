import type { Estimate } from "../record/index.js";
import { mean, standardDeviation } from "./descriptive.js";
import { meanEstimate } from "./mean-estimate.js";

/** Where samples differ: standard deviations, each without what the levels below it add. */
export interface LevelDeviations {
  readonly machines: number;
  readonly processes: number;
  readonly blocks: number;
}

/** What several machines say together. */
export interface MachinesEstimate {
  /** Of the mean over machines: about any machine of their kind. */
  readonly estimate: Estimate;
  readonly deviations: LevelDeviations;
}

/**
 * Estimates over machines, whose processes err together, as blocks of a process do. The mean of a
 * machine's process means is one sample. Deviations are those of a nested analysis of variance over
 * unweighted means (exact where every machine has as many processes, and every process as many blocks):
 * a level's variance is that of its means, less what the level below leaves in them, and not below 0.
 *
 * @param machines by machine, the block values of each of its processes
 * @throws RangeError with fewer than two machines, or where a machine or a process has nothing
 */
export function estimateMachines(
  machines: readonly (readonly (readonly number[])[])[],
): MachinesEstimate {
  if (machines.length < 2) throw new RangeError("An estimate over machines needs two of them.");
  const processes = machines.flat();
  if (processes.some(({ length }) => length === 0) || machines.some(({ length }) => length === 0)) {
    throw new RangeError("There is a machine or a process without a block.");
  }
  const means = machines.map((all) => all.map((blocks) => mean(blocks)));
  const machineMeans = means.map((all) => mean(all));
  const ofBlocks = pooledVariance(processes);
  const ofProcessMeans = pooledVariance(means);
  const ofMachineMeans = standardDeviation(machineMeans) ** 2;
  const blocksLeft = ofBlocks * mean(processes.map(({ length }) => 1 / length));
  const processesLeft = ofProcessMeans * mean(machines.map(({ length }) => 1 / length));
  return {
    estimate: meanEstimate(machineMeans),
    deviations: {
      machines: Math.sqrt(Math.max(0, ofMachineMeans - processesLeft)),
      processes: Math.sqrt(Math.max(0, ofProcessMeans - blocksLeft)),
      blocks: Math.sqrt(ofBlocks),
    },
  };
}

/** Around the mean of each group; 0 where no group has two. */
function pooledVariance(groups: readonly (readonly number[])[]): number {
  let squares = 0;
  let freedom = 0;
  for (const group of groups) {
    const centre = mean(group);
    for (const value of group) squares += (value - centre) ** 2;
    freedom += group.length - 1;
  }
  return freedom === 0 ? 0 : squares / freedom;
}
