import type {
  ArrivalsMeasurement,
  Estimates,
  MeasuredMode,
  ProfileFindings,
  ProfileMeasurement,
  ResultRecord,
  TeeMeasurement,
} from "../src/record/index.js";
import type { LatencySummary } from "../src/record/distribution.js";
import type { TeeWay, TeeWayName } from "../src/record/tee.js";

/** The generator of {@link exampleRecord}, streaming. */
export const exampleMode: MeasuredMode = {
  generator: "fake",
  model: "paced 100 µs",
  host: "pooled",
  treatment: "stream",
  tokens: 10,
};

/** A distribution around so many microseconds. */
export function latency(p50: number, p99: number): LatencySummary {
  return {
    count: 100,
    meanNanoseconds: p50 * 1000,
    minimumNanoseconds: 0,
    p50Nanoseconds: p50 * 1000,
    p90Nanoseconds: p50 * 1500,
    p99Nanoseconds: p99 * 1000,
    p999Nanoseconds: p99 * 1000,
    maximumNanoseconds: p99 * 2000,
    histogram: "",
  };
}

/** The same by both estimators, give or take. */
export function estimatesOf(value: number, margin: number): Estimates {
  const interval = { lower: value - margin, upper: value + margin };
  const estimate = { value, interval95: interval, bounds95: interval };
  return { hodgesLehmann: estimate, mean: estimate };
}

function profileOf(findings: ProfileFindings, files: readonly string[] = []): ProfileMeasurement {
  return {
    ...exampleMode,
    cost: {
      blocks: 12,
      control: estimatesOf(0.001, 0.002),
      overhead: estimatesOf(0.043, 0.012),
      costMicrosecondsPerToken: estimatesOf(31, 4),
    },
    files,
    generations: 14,
    findings,
  };
}

const memory = {
  residentBytes: 150 * 2 ** 20,
  heapUsedBytes: 20 * 2 ** 20,
  externalBytes: 3 * 2 ** 20,
  arrayBufferBytes: 2 ** 20,
};

/** One of each kind. */
const profiles: readonly ProfileMeasurement[] = [
  profileOf(
    {
      kind: "cpuProfile",
      threads: [{ thread: "main", samples: 420, busyMicrosecondsPerToken: 21.5 }],
      categories: [
        { thread: "main", category: "ring", selfMicrosecondsPerToken: 13.1, fraction: 0.61 },
        { thread: "main", category: "adapter", selfMicrosecondsPerToken: 8.4, fraction: 0.39 },
      ],
      hotFunctions: [
        {
          thread: "main",
          category: "ring",
          name: "poll (ring/consumer.js:52)",
          selfMicrosecondsPerToken: 9.2,
          fraction: 0.428,
        },
      ],
    },
    ["main", "worker-0", "worker-1", "worker-2"].map((name) => `profiles/${name}.cpuprofile`),
  ),
  profileOf({
    kind: "allocations",
    threads: [{ thread: "main", bytesPerToken: 832.4, objectsPerToken: 11.25 }],
    largest: [
      { thread: "main", category: "adapter", name: "next (stream.js:9)", bytesPerToken: 512 },
    ],
    peakMemory: memory,
  }),
  profileOf({
    kind: "timeline",
    threads: [
      {
        thread: "worker 0",
        garbageCollections: 7,
        garbageCollectionMilliseconds: 9.5,
        longestGarbageCollectionMilliseconds: 4.1,
        longestEventLoopDelayMilliseconds: 6.2,
      },
    ],
    slowestGaps: [
      {
        generation: 3,
        tokenIndex: 8,
        gapNanoseconds: 6_400_000,
        quantile: 0.999,
        cause: "major GC 4.1 ms on worker 0",
      },
      { generation: 0, tokenIndex: 2, gapNanoseconds: 900_000, quantile: 0.99, cause: null },
    ],
  }),
  profileOf({
    kind: "asyncActivity",
    threads: [{ thread: "main", promisesPerToken: 3.02, reactionMicrosecondsPerToken: 4.44 }],
  }),
  profileOf({
    kind: "operators",
    operators: [
      { operator: "MatMulNBits", calls: 480, microsecondsPerToken: 612.3, fraction: 0.812 },
    ],
    runMicrosecondsPerToken: 801.5,
  }),
  profileOf({
    kind: "ledger",
    stages: [
      { stage: "published", latency: latency(0.5, 2) },
      { stage: "woken", latency: latency(14, 80) },
      { stage: "delivered", latency: latency(1.5, 9) },
      { stage: "callbackDone", latency: latency(0.2, 1) },
    ],
    residual: latency(120, 900),
  }),
];

/** Arrivals at 70 % of what two workers can do. */
export function arrivalsOf(mode: MeasuredMode): ArrivalsMeasurement {
  return {
    ...mode,
    workers: 2,
    aloneNanoseconds: 40_000_000,
    arrivalsPerSecond: 35,
    offeredLoad: 0.7,
    generations: 200,
    durationNanoseconds: 5_800_000_000,
    completionsPerSecond: 34.5,
    timeToFirstToken: latency(12_000, 95_000),
    endToEnd: latency(61_000, 240_000),
    serviceTime: latency(41_000, 52_000),
    callLateness: latency(300, 2100),
  };
}

/** One stream for one reader, and for two. */
export function teeOf(mode: MeasuredMode): TeeMeasurement {
  const wayOf = (way: TeeWayName, cpu: number, added: number | null): TeeWay => ({
    way,
    cpuMicroseconds: Array.from({ length: 6 }, () => cpu * mode.tokens),
    durationNanoseconds: Array.from({ length: 6 }, () => mode.tokens * 100_000),
    cpuMicrosecondsPerToken: cpu,
    throughputTokensPerSecond: 10_000,
    deliveryLatency: latency(20, 90),
    addedCpuMicrosecondsPerToken: added === null ? null : estimatesOf(added, 0.25),
  });
  return {
    ...mode,
    treatment: "streamAsync",
    warmUp: { blocksDropped: 5, steady: true },
    ways: [
      wayOf("one reader", 12, null),
      wayOf("teeTokens", 13.5, 1.5),
      wayOf("ReadableStream.tee", 15, 3),
    ],
  };
}

/** The same record with loads, and a profile of each kind. */
export function withLoadsAndProfiles(record: ResultRecord): ResultRecord {
  return {
    ...record,
    arrivals: [arrivalsOf(exampleMode)],
    aborts: [
      {
        ...exampleMode,
        generations: 38,
        ranToEnd: 2,
        abortLatency: latency(850, 1900),
        wastedTokens: 41,
        mostWastedTokens: 3,
      },
    ],
    slowConsumers: [
      {
        ...exampleMode,
        consumerMicrosecondsPerToken: 2000,
        ringCapacity: 16,
        durationNanoseconds: 20_400_000,
        slowdown: 1.02,
        mostTokensWaiting: 17,
        deliveryLatency: latency(30_000, 34_000),
        residentGrowthBytes: 2 ** 21,
      },
    ],
    tee: [teeOf(exampleMode)],
    profiles,
  };
}
