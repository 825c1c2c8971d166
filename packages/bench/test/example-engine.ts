import type { EngineMeasurement } from "../src/record/index.js";
import { estimatesOf, latency } from "./example-profiles.js";

/** One with an interval and one of single runs. */
export const exampleEngine: readonly EngineMeasurement[] = [
  {
    scenario: "engine",
    id: "streams-8",
    title: "8 streams in one worker, fp32",
    unit: "ms per token",
    terms: ["The same file onnx/model.onnx; the ids are equal."],
    warmUpBlocks: 1,
    blocks: Array.from({ length: 6 }, () => ({
      runs: [
        { contender: "at once", value: 4 },
        { contender: "one after another", value: 20 },
        { contender: "one after another, again", value: 20 },
      ],
    })),
    contenders: [
      {
        contender: "at once",
        value: 4,
        tokensPerSecond: 250,
        interTokenLatency: latency(32_000, 41_000),
        comparisons: [
          {
            against: "one after another",
            ratio: estimatesOf(0.2, 0.01),
            smallestRatio: 0.19,
            largestRatio: 0.21,
          },
        ],
      },
      {
        contender: "one after another",
        value: 20,
        tokensPerSecond: 50,
        interTokenLatency: latency(20_000, 24_000),
        comparisons: [],
      },
      {
        contender: "one after another, again",
        value: 20,
        tokensPerSecond: 50,
        interTokenLatency: latency(20_000, 25_000),
        comparisons: [
          {
            against: "one after another",
            ratio: estimatesOf(1, 0.02),
            smallestRatio: 0.97,
            largestRatio: 1.03,
          },
        ],
      },
    ],
    claims: [
      {
        contender: "at once",
        against: "one after another",
        control: "one after another, again",
        promise: "at least 4.5 times the tokens/s",
        limit: 1 / 4.5,
        verdict: "upheld",
        reasons: ["It is surely below."],
      },
    ],
  },
  {
    scenario: "engine",
    id: "peak-memory-fp32-4096",
    title: "Peak memory, fp32, 4096 tokens of context",
    unit: "MiB",
    terms: ["Each run in a fresh process."],
    warmUpBlocks: 0,
    blocks: [
      {
        runs: [
          { contender: "streamgauge", value: 1300 },
          { contender: "transformers.js", value: 2500 },
        ],
      },
    ],
    contenders: [
      {
        contender: "streamgauge",
        value: 1300,
        tokensPerSecond: null,
        interTokenLatency: null,
        comparisons: [
          { against: "transformers.js", ratio: null, smallestRatio: 0.52, largestRatio: 0.52 },
        ],
      },
      {
        contender: "transformers.js",
        value: 2500,
        tokensPerSecond: null,
        interTokenLatency: null,
        comparisons: [],
      },
    ],
    claims: [
      {
        contender: "streamgauge",
        against: "transformers.js",
        control: null,
        promise: "at most half the memory",
        limit: 0.5,
        verdict: "refuted",
        reasons: ["Any two runs give a ratio from 0.520 to 0.520; the limit is 0.500."],
      },
    ],
  },
];
