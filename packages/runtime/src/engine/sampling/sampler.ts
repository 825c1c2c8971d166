import { spreadSeed, StreamgaugeError, type ResolvedConfig } from "@streamgauge/core";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { Choice } from "../model.js";
import { createWarpers, drawFrom, fillCandidates, type Candidates } from "./candidates.js";
import { createLogProbabilities } from "./log-probabilities.js";
import { createLogitsProcessors, type SamplingContext } from "./logits-processors.js";

/**
 * Chooses the next id of one completion from the logits of its position, which it only
 * reads. Where the largest of them is known already, they need not be searched for it.
 */
export type Sampler = (logits: Float32Array, largestLogit?: number) => Choice;

/**
 * A sampler for one generation, in the order of Hugging Face: the processors
 * change logits; then the likeliest id is taken at temperature 0; otherwise
 * logits are divided by the temperature, top-k, top-p, min-p and typical-p take
 * ids away, and one is drawn from the rest. One number is drawn per token, so
 * that a seed alone decides the ids. Log-probabilities are those of the logits
 * as they came.
 *
 * @throws StreamgaugeError when it chooses: `INVALID_CONFIG` if the options
 *   leave no id to choose, `ENGINE_FAILED` if the logits are not numbers
 */
export function createSampler(config: ResolvedConfig, context: SamplingContext): Sampler {
  const processors = createLogitsProcessors(config, context);
  const logProbabilities = config.logprobs ? createLogProbabilities(config.topLogprobs) : undefined;
  const choose = config.temperature === 0 ? undefined : createDraw(config);
  let processed = new Float32Array(0);
  return (logits, largestLogit) => {
    let scores = logits;
    if (processors.length > 0) {
      if (processed.length !== logits.length) processed = new Float32Array(logits.length);
      processed.set(logits);
      scores = processed;
      for (const processor of processors) processor.apply(scores);
    }
    const known = scores === logits ? largestLogit : undefined;
    const largest = known ?? largestOf(scores);
    const id = choose === undefined ? scores.indexOf(largest) : choose(scores, largest);
    if (id === undefined || !Number.isFinite(largest)) {
      throw nothingToChoose(processors.length > 0);
    }
    for (const processor of processors) processor.accept(id);
    if (logProbabilities === undefined) {
      return { id, logprob: undefined, topLogprobs: undefined };
    }
    const highest = scores === logits ? largest : (largestLogit ?? largestOf(logits));
    const { logprob, topLogprobs } = logProbabilities(logits, highest, id);
    return { id, logprob, topLogprobs };
  };
}

function largestOf(values: Float32Array): number {
  let largest = values[0] ?? Number.NaN;
  for (let index = 1; index < values.length; index++) {
    const value = values[index] ?? Number.NaN;
    if (value > largest) largest = value;
  }
  return largest;
}

function createDraw(
  config: ResolvedConfig,
): (scores: Float32Array, largest: number) => number | undefined {
  const { temperature, topK, seed } = config;
  const random = xoroshiro128plusFromState(spreadSeed(seed));
  const warpers = createWarpers(config);
  let weights = new Float64Array(0);
  let ids = new Int32Array(0);
  return (scores, largest) => {
    const u = uniformFloat64(random);
    if (weights.length !== scores.length) {
      weights = new Float64Array(scores.length);
      ids = new Int32Array(scores.length);
    }
    const candidates: Candidates = { scores, weights, ids, size: 0 };
    fillCandidates(candidates, largest, temperature, topK);
    for (const warp of warpers) warp(candidates);
    return drawFrom(candidates, u);
  };
}

function nothingToChoose(processed: boolean): StreamgaugeError {
  if (!processed) {
    return new StreamgaugeError(
      "ENGINE_FAILED",
      "The model's logits are not numbers, so no id can be chosen. Its activations may be too large " +
        "for half precision: choose another dtype, as fp32, q8 or q4. Otherwise its file is damaged: " +
        "download or build it again.",
    );
  }
  return new StreamgaugeError(
    "INVALID_CONFIG",
    "No id can be chosen with these options at this position, where they forbid all ids or take a " +
      `logit to infinity: raise "noRepeatNgramSize", lower "minTokens", or bring ` +
      `"repetitionPenalty" nearer to 1.`,
  );
}
