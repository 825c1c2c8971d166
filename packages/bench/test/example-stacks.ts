import type { StackAtSize, StackMeasurement, StackSummary } from "../src/record/index.js";
import { estimatesOf, latency } from "./example-profiles.js";

const warmUp = { blocksDropped: 5, steady: true };
const blocks = 6;

function atSize(
  tokens: number,
  cpu: number,
  added: number | null,
  allocatedBytes: number | null,
): StackAtSize {
  const ofEach = (value: number): number[] => Array<number>(blocks).fill(value * tokens);
  return {
    tokens,
    cpuMicroseconds: ofEach(cpu),
    durationNanoseconds: ofEach(cpu * 1000),
    allocatedBytes: allocatedBytes === null ? [] : ofEach(allocatedBytes),
    cpuMicrosecondsPerToken: cpu,
    durationNanosecondsPerToken: cpu * 1000,
    allocatedBytesPerToken: allocatedBytes,
    tokensPerPiece: 1,
    deliveryLatency: latency(20, 90),
    addedCpuMicrosecondsPerToken: added === null ? null : estimatesOf(added, 0.5),
  };
}

const baseline = { stack: "async iterator", against: null, library: null, socket: false };
const carrier = {
  stack: "carrier",
  against: "async iterator",
  library: { name: "carrier", version: "7.1.0", nodeRange: ">=22" },
  socket: false,
};

const growing: readonly StackSummary[] = [
  {
    ...baseline,
    sizes: [atSize(100, 2, null, 400), atSize(1000, 2, null, 400), atSize(10_000, 2, null, 400)],
    cpuGrowth: growth(1, "linear"),
    allocationGrowth: growth(1, "linear"),
  },
  {
    ...carrier,
    sizes: [atSize(100, 12, 10, 900), atSize(1000, 40, 38, 3e3), atSize(10_000, 320, 318, 28e3)],
    cpuGrowth: growth(1.9, "quadratic"),
    allocationGrowth: growth(1.9, "quadratic"),
  },
];

function growth(exponent: number, order: "linear" | "quadratic") {
  return { tokens: [100, 1000, 10_000], exponent, estimates: estimatesOf(exponent, 0.02), order };
}

/** A burst with a stack that is quadratic, and the same at a pace. */
export const exampleStacks: readonly StackMeasurement[] = [
  {
    generator: "paced-0us-inline",
    model: "paced 0 µs",
    host: "inline",
    warmUp,
    stacks: growing,
    leftOut: [{ stack: "llama", reason: "it is not installed" }],
  },
  {
    generator: "paced-100us-pooled",
    model: "paced 100 µs",
    host: "pooled",
    warmUp,
    stacks: [
      {
        ...baseline,
        sizes: [atSize(1000, 110, null, null)],
        cpuGrowth: null,
        allocationGrowth: null,
      },
      { ...carrier, sizes: [atSize(1000, 150, 40, null)], cpuGrowth: null, allocationGrowth: null },
    ],
    leftOut: [],
  },
];
