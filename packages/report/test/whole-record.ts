import {
  parseRecord,
  type MeasuredMode,
  type ProfileFindings,
  type ProfileMeasurement,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { definitions } from "@streamgauge/bench";
import { arrivalsOf, estimatesOf, latency, teeOf } from "../../bench/test/example-profiles.js";
import { exampleEngine } from "../../bench/test/example-engine.js";
import { exampleStacks } from "../../bench/test/example-stacks.js";
import { exampleTransports } from "../../bench/test/example-transports.js";
import { exampleCallTrees } from "./example-call-trees.js";
import { fixtureRecord } from "./fixture.js";

const mode: MeasuredMode = {
  generator: "pequod-pooled",
  model: "pequod",
  host: "pooled",
  treatment: "stream",
  tokens: 10,
};

function profileOf(findings: ProfileFindings, files: readonly string[] = []): ProfileMeasurement {
  const cost = {
    blocks: 12,
    control: estimatesOf(0.001, 0.002),
    overhead: estimatesOf(0.043, 0.012),
    costMicrosecondsPerToken: estimatesOf(31, 4),
  };
  return { ...mode, cost, files, generations: 14, findings };
}

const peakMemory = {
  residentBytes: 150 * 2 ** 20,
  heapUsedBytes: 20 * 2 ** 20,
  externalBytes: 3 * 2 ** 20,
  arrayBufferBytes: 2 ** 20,
};

const hot = { thread: "main", category: "ring", selfMicrosecondsPerToken: 9.2 } as const;
const promises = { thread: "main", promisesPerToken: 3.02, reactionMicrosecondsPerToken: 4.44 };
const operator = { operator: "MatMulNBits", calls: 480, microsecondsPerToken: 612.3 };
const gap = { generation: 3, tokenIndex: 8, gapNanoseconds: 6_400_000, quantile: 0.999 };

/** One of each kind. */
const profiles: readonly ProfileMeasurement[] = [
  profileOf(
    {
      kind: "cpuProfile",
      threads: [{ thread: "main", samples: 420, busyMicrosecondsPerToken: 21.5 }],
      categories: [{ ...hot, selfMicrosecondsPerToken: 13.1, fraction: 0.61 }],
      hotFunctions: [{ ...hot, name: "poll (ring/consumer.js:52)", fraction: 0.428 }],
      callTrees: exampleCallTrees,
    },
    ["profiles/main.cpuprofile", "profiles/worker-0.cpuprofile"],
  ),
  profileOf({
    kind: "allocations",
    threads: [{ thread: "main", bytesPerToken: 832.4, objectsPerToken: 11.26 }],
    largest: [{ thread: "main", category: "adapter", name: "next (a.js:9)", bytesPerToken: 512 }],
    peakMemory,
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
      { ...gap, cause: "major GC 4.1 ms on worker 0" },
      { ...gap, tokenIndex: 9, cause: null },
    ],
  }),
  profileOf({ kind: "asyncActivity", threads: [promises] }),
  {
    ...profileOf({
      kind: "operators",
      operators: [{ ...operator, fraction: 0.812 }],
      runMicrosecondsPerToken: 801.5,
    }),
    cost: { blocks: 2, control: null, overhead: null, costMicrosecondsPerToken: null },
  },
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

const looks = [
  { processes: 3, tail: 0.021 },
  { processes: 6, tail: 0.042 },
];

/**
 * The fixture as a record of version 3 with something of everything: six
 * processes, two looks, a callback, loads and a profile of each kind. Its first
 * cell is ordinary, its second has the callback.
 */
export async function wholeRecord(): Promise<ResultRecord> {
  const record = await fixtureRecord();
  const claims = record.claims.map((claim) => ({ ...claim, look: looks[1]! }));
  const difference = {
    ...claims[0]!,
    id: "no-difference",
    metric: "difference" as const,
    treatment: "control" as const,
    limit: 0.0125,
    verdict: "upheld" as const,
    look: null,
    control: null,
  };
  const whole: ResultRecord = {
    ...record,
    version: 3,
    plan: {
      scenarios: null,
      tokens: null,
      blocks: null,
      model: null,
      timeBudgetMinutes: null,
      profiles: ["cpuProfile"],
      looks,
      measured: [],
    },
    cells: record.cells.map((cell, index) => ({
      tails: [
        { treatment: "stream", percent: 95, overhead: estimatesOf(0.141, 0.06).mean },
      ] as const,
      ...cell,
      ...(index === 1 && { workload: "json" }),
      distributions:
        index === 1
          ? [
              ...cell.distributions,
              { ...latency(1.2, 3), treatment: "stream", metric: "callbackTime" },
            ]
          : cell.distributions,
      analysis: cell.analysis && {
        treatments: cell.analysis.treatments.map((summary) =>
          index === 1 && summary.treatment === "stream"
            ? { ...summary, callbackMicrosecondsPerToken: 1.26 }
            : summary,
        ),
        comparisons: cell.analysis.comparisons.map((comparison) => ({
          ...comparison,
          processes: 6,
          level: index === 0 ? "processes" : "too few processes",
        })),
      },
    })),
    arrivals: [arrivalsOf(mode)],
    aborts: [
      {
        ...mode,
        treatment: "generate",
        generations: 38,
        ranToEnd: 2,
        abortLatency: latency(850, 1900),
        wastedTokens: null,
        mostWastedTokens: null,
      },
      {
        ...mode,
        generations: 38,
        ranToEnd: 0,
        abortLatency: latency(850, 1900),
        wastedTokens: 41,
        mostWastedTokens: 3,
      },
    ],
    slowConsumers: [
      {
        ...mode,
        consumerMicrosecondsPerToken: 2000,
        ringCapacity: 16,
        durationNanoseconds: 20_400_000,
        slowdown: 1.02,
        mostTokensWaiting: 17,
        deliveryLatency: latency(30_000, 34_000),
        residentGrowthBytes: 2 ** 21,
      },
    ],
    tee: [teeOf(mode)],
    endpoints: [
      {
        cell: record.cells[0]!.id,
        against: record.cells[1]!.id,
        treatment: "stream",
        metric: "timeToFirstToken",
        nanoseconds: 12_000_000,
        againstNanoseconds: 15_000_000,
        blocks: 64,
        processes: 8,
        level: "processes",
        ratio: estimatesOf(0.8, 0.05),
      },
    ],
    transports: exampleTransports,
    stacks: exampleStacks,
    engine: exampleEngine,
    profiles,
    claims: [...claims, difference],
    machineComparisons: record.cells.slice(0, 1).map(({ id }) => ({
      cell: id,
      treatment: "stream",
      machines: 3,
      overhead: estimatesOf(0.042, 0.011).mean,
      standardDeviations: { machines: 0.004, processes: 0.011, blocks: 0.023 },
    })),
    calibration: [
      {
        cell: "a",
        treatment: "stream",
        injectedFraction: 0.03,
        overhead: estimatesOf(0.061, 0.005),
        net: estimatesOf(0.031, 0.006),
        recovered: true,
        limit: 0.05,
        blocksPerExperiment: 60,
        verdicts: { upheld: 3, refuted: 0, inconclusive: 0, void: 0 },
      },
    ],
    definitions,
  };
  return parseRecord(JSON.parse(JSON.stringify(whole)));
}
