/**
 * Pure statistics over samples. A sample is a block's value, or the mean of a
 * process, never a token's value. One file per concept is in `statistics/`.
 *
 * @module
 */
export { acceleration, bcaInterval, biasCorrection, type Bootstrap } from "./bca-bootstrap.js";
export { binomialInterval95 } from "./binomial.js";
export {
  changePoints,
  defaultSmallestSegment,
  type ChangePoint,
  type ChangePointOptions,
} from "./change-points.js";
export { mean, median, percentile, standardDeviation } from "./descriptive.js";
export { estimateBoth, isEquivalent, rescale, rescaleOne } from "./estimates.js";
export {
  sequentialLooks,
  spentAlpha,
  type SequentialLook,
  type SequentialPlan,
  type SpendingFunction,
} from "./group-sequential.js";
export { holm } from "./holm.js";
export {
  hodgesLehmann,
  hodgesLehmannBounds,
  minimumSamples,
  walshAverages,
} from "./hodges-lehmann.js";
export { estimateMachines, type LevelDeviations, type MachinesEstimate } from "./machine-levels.js";
export { meanBounds, meanEstimate, smallestDetectableEffect } from "./mean-estimate.js";
export {
  percentileRatio,
  type BlockValues,
  type PercentileRatioOptions,
} from "./percentile-ratio.js";
export { estimateProcesses, fewestBlocks, fewestProcesses } from "./processes.js";
export {
  boundBoth,
  decideSequentially,
  type SequentialDecision,
  type Side,
} from "./sequential-decision.js";
export { batchSlope, type Point } from "./batch-slope.js";
export { trend } from "./trend.js";
