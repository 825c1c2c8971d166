import type {
  RingDescription,
  TransportMeasurement,
  TransportSummary,
} from "../src/record/index.js";
import { estimatesOf, latency } from "./example-profiles.js";

const warmUp = { blocksDropped: 5, steady: true };

const defaultRing: RingDescription = {
  capacity: 256,
  publishBatch: 1,
  wait: "waitAsync",
  spinMicroseconds: 0,
};

/** A run of each transport in each block; nothing that is shown depends on it. */
function blocksOf(count: number, transports: readonly TransportSummary[]) {
  const runs = transports.map(({ transport }) => ({
    transport,
    cpuMicroseconds: 1000,
    durationNanoseconds: 1_000_000,
  }));
  return Array.from({ length: count }, () => ({ runs }));
}

const contenders: readonly TransportSummary[] = [
  {
    transport: "ring",
    ring: defaultRing,
    hasBackpressure: true,
    cpuMicrosecondsPerToken: 0.303,
    throughputTokensPerSecond: 5_400_000,
    deliveryLatency: latency(1.3, 177),
    comparisons: [
      {
        against: "postMessage",
        cpuRatio: estimatesOf(0.129, 0.012),
        addedCpuMicrosecondsPerToken: estimatesOf(-2.1, 0.2),
      },
      {
        against: "none",
        cpuRatio: estimatesOf(4.7, 0.2),
        addedCpuMicrosecondsPerToken: estimatesOf(0.25, 0.02),
      },
    ],
  },
  {
    transport: "postMessage",
    ring: null,
    hasBackpressure: false,
    cpuMicrosecondsPerToken: 2.5,
    throughputTokensPerSecond: 568_075,
    deliveryLatency: latency(7032, 20_889),
    comparisons: [
      {
        against: "none",
        cpuRatio: estimatesOf(34.8, 2),
        addedCpuMicrosecondsPerToken: estimatesOf(2.36, 0.2),
      },
      {
        against: "ring",
        cpuRatio: estimatesOf(7.73, 0.5),
        addedCpuMicrosecondsPerToken: estimatesOf(2.1, 0.2),
      },
    ],
  },
  {
    transport: "ring, block + 50 µs",
    ring: { ...defaultRing, wait: "block", spinMicroseconds: 50 },
    hasBackpressure: true,
    cpuMicrosecondsPerToken: 311.75,
    throughputTokensPerSecond: 16_312_347,
    deliveryLatency: latency(194.8, 196_210),
    comparisons: [
      {
        against: "postMessage",
        cpuRatio: estimatesOf(0.129, 0.012),
        addedCpuMicrosecondsPerToken: null,
      },
      { against: "none", cpuRatio: null, addedCpuMicrosecondsPerToken: null },
      {
        against: "ring",
        cpuRatio: estimatesOf(1.02, 0.01),
        addedCpuMicrosecondsPerToken: estimatesOf(0.01, 0.01),
      },
    ],
  },
  {
    transport: "none",
    ring: null,
    hasBackpressure: null,
    cpuMicrosecondsPerToken: 0.06,
    throughputTokensPerSecond: 16_000_000,
    deliveryLatency: null,
    comparisons: [{ against: "postMessage", cpuRatio: null, addedCpuMicrosecondsPerToken: null }],
  },
];

const rings = [
  [1, 1, 41.2],
  [256, 1, 0.41],
  [256, 64, 0.35],
] as const;

const grid: readonly TransportSummary[] = rings.map(([capacity, publishBatch, cpu]) => ({
  transport: `ring ${capacity}, batch ${publishBatch}`,
  ring: { ...defaultRing, capacity, publishBatch },
  hasBackpressure: true,
  cpuMicrosecondsPerToken: cpu,
  throughputTokensPerSecond: 1e6 / cpu,
  deliveryLatency: latency(cpu * 10, cpu * 100),
  comparisons:
    capacity === 256 && publishBatch === 1
      ? []
      : [
          {
            against: "ring 256, batch 1",
            cpuRatio: estimatesOf(cpu / 0.41, 0.01),
            addedCpuMicrosecondsPerToken: estimatesOf(cpu - 0.41, 0.01),
          },
        ],
}));

/** A comparison of transports with a claim, and a grid of rings. */
export const exampleTransports: readonly TransportMeasurement[] = [
  {
    scenario: "transports",
    generator: "paced-0us-inline",
    tokens: 20_000,
    gapMicroseconds: 0,
    warmUp,
    blocks: blocksOf(20, contenders),
    transports: contenders,
    claims: [
      {
        transport: "ring",
        against: "postMessage",
        control: "postMessage again",
        limit: 0.2,
        verdict: "void",
        reasons: ["Noise: it is loud."],
      },
    ],
  },
  {
    scenario: "buffers",
    generator: "paced-0us-inline",
    tokens: 1000,
    gapMicroseconds: 100,
    warmUp: { blocksDropped: 20, steady: false },
    blocks: blocksOf(22, grid),
    transports: grid,
    claims: [],
  },
];
