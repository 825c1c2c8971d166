/**
 * Pure statistics over samples. A sample is a block's value, or the mean of a
 * process, never a token's value. One file per concept is in `statistics/`.
 *
 * @module
 */
export {
  acceleration,
  bcaInterval,
  biasCorrection,
  type Bootstrap,
} from "./statistics/bca-bootstrap.js";
export { binomialInterval95 } from "./statistics/binomial.js";
export {
  changePoints,
  defaultSmallestSegment,
  type ChangePoint,
  type ChangePointOptions,
} from "./statistics/change-points.js";
export { mean, median, percentile, standardDeviation } from "./statistics/descriptive.js";
export { estimateBoth, isEquivalent, rescale, rescaleOne } from "./statistics/estimates.js";
export {
  sequentialLooks,
  spentAlpha,
  type SequentialLook,
  type SequentialPlan,
  type SpendingFunction,
} from "./statistics/group-sequential.js";
export { holm } from "./statistics/holm.js";
export {
  hodgesLehmann,
  hodgesLehmannBounds,
  minimumSamples,
  walshAverages,
} from "./statistics/hodges-lehmann.js";
export { meanBounds, meanEstimate, smallestDetectableEffect } from "./statistics/mean-estimate.js";
export {
  percentileRatio,
  type BlockValues,
  type PercentileRatioOptions,
} from "./statistics/percentile-ratio.js";
export { sampleLevel, samplesAt } from "./statistics/processes.js";
export {
  decideSequentially,
  type SequentialDecision,
  type Side,
} from "./statistics/sequential-decision.js";
export { batchSlope, type Point } from "./statistics/batch-slope.js";
export { trend } from "./statistics/trend.js";
