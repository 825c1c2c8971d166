import { resolveConfig, type GenerationConfig } from "@streamgauge/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createWarpers,
  fillCandidates,
  type Candidates,
} from "../src/engine/sampling/candidates.js";
import { createLogitsProcessors } from "../src/engine/sampling/logits-processors.js";
import { createSampler, type Sampler } from "../src/engine/sampling/sampler.js";
import {
  largestOf,
  referenceProbabilities,
  referenceScores,
  softmax,
} from "./sampling-reference.js";

const nothingBefore = { promptIds: [], eosTokenIds: new Set<number>() };

function samplerOf(config: GenerationConfig): Sampler {
  return createSampler(resolveConfig(config), nothingBefore);
}

/** Logits whose sums and differences are exact, so that equal ones stay equal. */
const logit = fc.integer({ min: -64, max: 64 }).map((value) => value / 8);
const share = fc.integer({ min: 1, max: 1000 }).map((value) => value / 1000);
const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });

/** A config without the fields that are undefined. */
function given(config: Readonly<Record<string, unknown>>): GenerationConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
}

describe("the processors", () => {
  const vocabulary = 12;
  const id = fc.integer({ min: 0, max: vocabulary - 1 });

  it("change logits as their definitions say, whatever was made before", () => {
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: vocabulary, maxLength: vocabulary }),
        fc.array(id, { maxLength: 15 }),
        fc.array(id, { maxLength: 25 }),
        fc.array(id, { maxLength: 2 }),
        fc.record({
          logitBias: maybe(
            fc.dictionary(
              id.map(String),
              fc.integer({ min: -800, max: 800 }).map((value) => value / 8),
            ),
          ),
          repetitionPenalty: maybe(fc.constantFrom(0.5, 1, 1.1, 1.7)),
          presencePenalty: maybe(fc.constantFrom(-2, 0, 0.5, 2)),
          frequencyPenalty: maybe(fc.constantFrom(-1, 0, 0.25, 1)),
          noRepeatNgramSize: maybe(fc.integer({ min: 0, max: 4 })),
          minTokens: maybe(fc.integer({ min: 0, max: 30 })),
          stopTokenIds: maybe(fc.array(id, { maxLength: 2 })),
        }),
        (logits, prompt, completion, eosIds, options) => {
          const config = given(options);
          const context = { promptIds: prompt, eosTokenIds: new Set(eosIds) };
          const processors = createLogitsProcessors(resolveConfig(config), context);
          for (const chosen of completion) {
            for (const processor of processors) processor.accept(chosen);
          }
          const scores = Float32Array.from(logits);
          for (const processor of processors) processor.apply(scores);
          const expected = referenceScores(logits, config, { prompt, completion, eosIds });
          // 0 and −0 are one logit.
          expect([...scores].map((score) => score + 0)).toEqual(expected.map((score) => score + 0));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("are none when nothing asks for them", () => {
    expect(createLogitsProcessors(resolveConfig(), nothingBefore)).toEqual([]);
  });

  it("let an end be chosen where end-of-sequence is ignored", () => {
    const config = resolveConfig({ minTokens: 3, ignoreEos: true, stopTokenIds: [2] });
    const context = { promptIds: [], eosTokenIds: new Set([1]) };
    const scores = Float32Array.of(0, 1, 2);
    for (const processor of createLogitsProcessors(config, context)) processor.apply(scores);
    expect([...scores]).toEqual([0, 1, -Infinity]);
  });
});

describe("the warpers", () => {
  function warp(logits: readonly number[], config: GenerationConfig): number[] {
    const { temperature, topK, ...rest } = resolveConfig(config);
    const candidates: Candidates = {
      scores: Float32Array.from(logits),
      weights: new Float64Array(logits.length),
      ids: new Int32Array(logits.length),
      size: 0,
    };
    fillCandidates(candidates, largestOf(logits), temperature, topK);
    for (const warper of createWarpers({ temperature, topK, ...rest })) warper(candidates);
    const left = candidates.ids.subarray(0, candidates.size);
    const whole = left.reduce((sum, id) => sum + candidates.weights[id]!, 0);
    return logits.map((_, id) => (left.includes(id) ? candidates.weights[id]! / whole : 0));
  }

  const closeTo = (probabilities: readonly number[], digits = 9) =>
    probabilities.map((probability) => expect.closeTo(probability, digits) as number);

  it("leave the probabilities that their definitions leave", () => {
    fc.assert(
      fc.property(
        fc.array(logit, { minLength: 1, maxLength: 40 }),
        fc.record({
          topK: maybe(fc.integer({ min: 1, max: 50 })),
          topP: maybe(share),
          minP: maybe(share),
          typicalP: maybe(share),
        }),
        fc.constantFrom(0.25, 0.9, 1, 2.5),
        (logits, options, temperature) => {
          const config = given({ ...options, temperature });
          const actual = warp(logits, config);
          // At the very edge of a share rounding decides, so either side of it is right.
          const nudge = (value: number | undefined, by: number) =>
            value === undefined ? undefined : Math.min(1, value + by);
          const possible = [-1e-12, 0, 1e-12].flatMap((p) =>
            [-1e-12, 0, 1e-12].map((typical) =>
              referenceProbabilities(
                logits,
                given({
                  ...config,
                  topP: nudge(options.topP, p),
                  typicalP: nudge(options.typicalP, typical),
                }),
              ),
            ),
          );
          const support = (values: readonly number[]) => values.map((value) => value > 0).join();
          const expected = possible.find((values) => support(values) === support(actual));
          expect(actual).toEqual(closeTo(expected ?? possible[4]!));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("take a share of what those before have left", () => {
    const logits = [0.4, 0.3, 0.2, 0.1].map((p) => Math.log(p));
    // After top-k there are 4/7 and 3/7, of which the first is enough for 0.5.
    expect(warp(logits, { temperature: 1, topK: 2, topP: 0.5 })).toEqual([1, 0, 0, 0]);
    expect(warp(logits, { temperature: 1, topP: 0.5 })).toEqual(closeTo([4 / 7, 3 / 7, 0, 0], 6));
    // 0.2 is more than 0.45 of 0.4, and 0.1 is not.
    expect(warp(logits, { temperature: 1, minP: 0.45 })).toEqual(
      closeTo([4 / 9, 3 / 9, 2 / 9, 0], 6),
    );
  });

  it("can leave out the likeliest id for being untypical", () => {
    const peaked = [0.5, 0.1, 0.1, 0.1, 0.1, 0.1].map((p) => Math.log(p));
    // H = 1.498; −ln 0.5 is 0.80 away from it, and −ln 0.1 is 0.81 away.
    expect(warp(peaked, { temperature: 1, typicalP: 0.4 })).toEqual([1, 0, 0, 0, 0, 0]);
    const flatter = [0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1].map((p) => Math.log(p));
    // H = 1.748; −ln 0.4 is 0.83 away from it, and −ln 0.1 is 0.55 away.
    expect(warp(flatter, { temperature: 1, typicalP: 0.35 })).toEqual(
      closeTo([0, 0.25, 0.25, 0.25, 0.25, 0, 0]),
    );
  });

  it("keep the lower of ids that are equally likely", () => {
    expect(warp([1, 1, 1, 1], { temperature: 1, topK: 2 })).toEqual([0.5, 0.5, 0, 0]);
    expect(warp([0, 1, 1, 1], { temperature: 1, topP: 0.5 })).toEqual([0, 0.5, 0.5, 0]);
  });

  it("find the largest of a vocabulary as large as any", () => {
    const logits = Array.from({ length: 152_064 }, (_, id) => Math.fround(Math.sin(id * id)));
    const left = warp(logits, { temperature: 1, topK: 300, topP: 0.9 });
    const expected = referenceProbabilities(logits, { topK: 300, topP: 0.9 });
    const idsOf = (values: readonly number[]) => values.flatMap((p, id) => (p > 0 ? [id] : []));
    expect(idsOf(left)).toEqual(idsOf(expected));
  });
});

describe("createSampler", () => {
  function sampleMany(logits: readonly number[], config: GenerationConfig, draws: number) {
    const sample = samplerOf(config);
    const counts = logits.map(() => 0);
    const values = Float32Array.from(logits);
    for (let draw = 0; draw < draws; draw++) counts[sample(values).id]! += 1;
    return counts;
  }

  it("takes the first of the largest logits at temperature 0", () => {
    const sample = samplerOf({});
    expect(sample(Float32Array.of(1, 5, 5, -2)).id).toBe(1);
    expect(sample(Float32Array.of(-Infinity, -3)).id).toBe(1);
  });

  it("penalises at temperature 0 too", () => {
    const sample = createSampler(resolveConfig({ repetitionPenalty: 2 }), {
      ...nothingBefore,
      promptIds: [0],
    });
    const logits = Float32Array.of(4, 3, 2.5, 1);
    // 4 → 2 for the prompt's id, then 3 → 1.5, then 2.5 → 1.25; once each.
    expect([1, 2, 3, 4].map(() => sample(logits).id)).toEqual([1, 2, 0, 0]);
    expect([...logits]).toEqual([4, 3, 2.5, 1]);
  });

  it("counts presence once and frequency each time, in the completion alone", () => {
    const promptIds = [0, 0, 0];
    const take = (config: GenerationConfig) => {
      const sample = createSampler(resolveConfig(config), { ...nothingBefore, promptIds });
      return Array.from({ length: 6 }, () => sample(Float32Array.of(5, 4, 2.5)).id);
    };
    expect(take({ presencePenalty: 1.25 })).toEqual([0, 1, 0, 0, 0, 0]);
    expect(take({ frequencyPenalty: 0.75 })).toEqual([0, 0, 1, 0, 1, 0]);
  });

  it.each<GenerationConfig>([
    { temperature: 1 },
    { temperature: 0.3 },
    { temperature: 2.5 },
    { temperature: 1, topK: 3 },
    { temperature: 1, topP: 0.6 },
    { temperature: 0.7, topK: 5, topP: 0.8 },
    { temperature: 1, topP: 1 },
    { temperature: 1, topK: 100 },
    { temperature: 1.2, minP: 0.2 },
    { temperature: 1, typicalP: 0.7 },
    { temperature: 1.5, topK: 7, topP: 0.95, minP: 0.05, typicalP: 0.9 },
    { temperature: 1, logitBias: { 5: 4, 3: -100 } },
  ])("draws with the reference's probabilities for %o", (config) => {
    const logits = [1.2, -0.4, 0.9, 2.2, 0.1, -3, 1.1, 0.8];
    const draws = 20_000;
    const past = { prompt: [], completion: [], eosIds: [] };
    const expected = referenceProbabilities(referenceScores(logits, config, past), config);
    const counts = sampleMany(logits, { ...config, seed: 12 }, draws);
    // Pearson's chi-square over the possible ids; 7 degrees of freedom at most,
    // whose 99.9 % point is 24.3. The seed is fixed, so this cannot flicker.
    let chiSquare = 0;
    for (const [id, probability] of expected.entries()) {
      // A bias of −100 leaves a probability that no number of draws will meet.
      if (probability < 1e-30) expect(counts[id]).toBe(0);
      else chiSquare += (counts[id]! - draws * probability) ** 2 / (draws * probability);
    }
    expect(chiSquare).toBeLessThan(24.3);
  });

  it("gives the log-probabilities before every option that changes the choice", () => {
    const logits = [0.3, -1, 2, 0.5, 2];
    const expected = softmax(logits).map(Math.log);
    const sample = samplerOf({
      temperature: 0.5,
      topK: 3,
      seed: 3,
      logprobs: true,
      topLogprobs: 3,
      logitBias: { 0: 5 },
      presencePenalty: 1,
    });
    for (let draw = 0; draw < 20; draw++) {
      const { id, logprob, topLogprobs } = sample(Float32Array.from(logits));
      expect(logprob).toBeCloseTo(expected[id]!, 6);
      expect(topLogprobs?.map((top) => top.id)).toEqual([2, 4, 3]);
      for (const top of topLogprobs ?? []) expect(top.logprob).toBeCloseTo(expected[top.id]!, 6);
    }
  });

  it("gives as many of the likeliest as there are, and none unasked", () => {
    const logits = Float32Array.of(1, 2);
    const { topLogprobs } = samplerOf({ logprobs: true, topLogprobs: 20 })(logits);
    expect(topLogprobs?.map(({ id }) => id)).toEqual([1, 0]);
    expect(samplerOf({ logprobs: true })(logits)).toMatchObject({ topLogprobs: undefined });
    expect(samplerOf({})(logits)).toEqual({ id: 1 });
  });

  it("draws the same ids for the same seed, and others for another", () => {
    const logits = Float32Array.from({ length: 50 }, (_, id) => Math.sin(id));
    const draw = (config: GenerationConfig): number[] => {
      const sample = samplerOf(config);
      return Array.from({ length: 30 }, () => sample(logits).id);
    };
    for (const options of [{}, { topK: 30 }, { minP: 0.1 }, { typicalP: 0.9 }, { topP: 0.9 }]) {
      const config = { temperature: 1, ...options };
      expect(draw({ ...config, seed: 5 })).toEqual(draw({ ...config, seed: 5 }));
      expect(draw({ ...config, seed: 5 })).not.toEqual(draw({ ...config, seed: 6 }));
    }
  });

  it("says so when options leave nothing to choose, or logits are not numbers", () => {
    const exhausted = createSampler(resolveConfig({ noRepeatNgramSize: 1 }), {
      ...nothingBefore,
      promptIds: [0, 1],
    });
    expect(() => exhausted(Float32Array.of(1, 2))).toThrow(
      expect.objectContaining({
        code: "INVALID_CONFIG",
        message: expect.stringContaining("noRepeatNgramSize") as string,
      }),
    );
    const broken = [Float32Array.of(Number.NaN, Number.NaN), Float32Array.of(1, Infinity)];
    for (const config of [{}, { temperature: 1 }, { temperature: 1, topP: 0.5 }]) {
      for (const logits of broken) {
        expect(() => samplerOf(config)(logits)).toThrow(
          expect.objectContaining({
            code: "ENGINE_FAILED",
            message: expect.stringMatching(/half precision: choose another dtype/) as string,
          }),
        );
      }
    }
    expect(() => samplerOf({ temperature: 1, topP: 0.5 })(Float32Array.of(1, NaN))).toThrow(
      expect.objectContaining({ code: "ENGINE_FAILED" }),
    );
  });
});
