import { describe, expect, it } from "vitest";
import type { StreamToken } from "@streamgauge/core";
import { parseRecord, type TransportMeasurement } from "../src/record/index.js";
import type { GeneratorPlan } from "../src/plan/generator-plan.js";
import { openGenerator } from "../src/scenarios/open-generator.js";
import { buffers, transports } from "../src/scenarios/transport-scenarios.js";
import { transportMeasurement } from "../src/scenarios/transport-measurement.js";
import type { TransportOptions } from "../src/scenarios/transports/transport-options.js";
import {
  openProducerThread,
  type OpenProducerThread,
} from "../src/scenarios/transports/producer-thread.js";
import type { TransportPlan } from "../src/scenarios/transports/transport-plan.js";
import { exampleRecord } from "./example-record.js";
import { measurementContext } from "./measurement-context.js";

/** Threads start in a moment, except on a machine that has others to run. */
const timeout = 60_000;

const plan: GeneratorPlan = { id: "paced", engine: "paced", model: "paced", host: "inline" };

const postMessage: TransportPlan = { name: "postMessage", kind: "postMessage" };
const again: TransportPlan = { name: "postMessage again", kind: "postMessage" };
const none: TransportPlan = { name: "none", kind: "none" };

const every: readonly TransportPlan[] = [
  { name: "waitAsync", kind: "ring", ring: { capacity: 16 } },
  { name: "batches", kind: "ring", ring: { capacity: 64, publishBatch: 16 } },
  { name: "one slot", kind: "ring", ring: { capacity: 1 } },
  { name: "message", kind: "ring", ring: { capacity: 16, wait: "message" } },
  { name: "block", kind: "ring", ring: { capacity: 16, wait: "block" } },
  { name: "spin", kind: "ring", ring: { wait: "block", spinMicroseconds: 20 } },
  postMessage,
  { name: "comlink", kind: "comlink", awaited: false },
  { name: "comlink awaited", kind: "comlink", awaited: true },
  { name: "ReadableStream", kind: "readableStream" },
  none,
];

async function measure(
  options: Partial<TransportOptions>,
  signal?: AbortSignal,
): Promise<readonly TransportMeasurement[] | undefined> {
  const generator = await openGenerator(plan);
  try {
    const measurement = transportMeasurement({
      id: "tiny",
      scenario: "transports",
      load: { tokens: 60, gapMicroseconds: 0 },
      transports: every,
      baselines: ["none", "postMessage"],
      blocks: 6,
      timeBudgetSeconds: 60,
      expectedSeconds: 1,
      ...options,
    });
    return (await measurement.measure(generator, measurementContext({ plan, signal }))).transports;
  } finally {
    await generator.close();
  }
}

/** Carries on this thread, in no time, and lets somebody meddle with the tokens. */
function fakeProducer(
  meddle: (tokens: readonly StreamToken[]) => readonly StreamToken[],
  cpuMicroseconds: (plan: TransportPlan, run: number) => number = () => 100,
): OpenProducerThread {
  let runs = 0;
  return (payload) =>
    Promise.resolve({
      carry: (transport, { tokens }, onToken) => {
        runs += 1;
        const made = Array.from({ length: tokens }, (_, index): StreamToken => ({
          index,
          ...payload[index % payload.length]!,
          endOfSequence: index === tokens - 1,
          logprob: undefined,
          producedAtMilliseconds: performance.now(),
        }));
        if (transport.kind !== "none") meddle(made).forEach(onToken);
        const cost = cpuMicroseconds(transport, runs);
        return Promise.resolve({ cpuMicroseconds: cost, durationNanoseconds: 1_000_000 });
      },
      close: () => Promise.resolve(),
    });
}

describe("openProducerThread", { timeout }, () => {
  it.each(
    every.filter(({ kind }) => kind !== "none").map((transport) => [transport.name, transport]),
  )("%s carries each token once and in order, in a burst and paced", async (_, transport) => {
    const payload = [
      " the",
      " whale",
      "",
      "🐋 and a text that takes more than one slot of a ring",
    ].map((text, id) => ({ id, text }));
    const producer = await openProducerThread(payload);
    try {
      for (const load of [
        { tokens: 1000, gapMicroseconds: 0 },
        { tokens: 20, gapMicroseconds: 100 },
        { tokens: 1, gapMicroseconds: 0 },
      ]) {
        const seen: StreamToken[] = [];
        const cost = await producer.carry(transport, load, (token) => {
          seen.push(token);
        });
        expect(seen.map(({ index, id, text }) => ({ index, id, text }))).toEqual(
          Array.from({ length: load.tokens }, (__, index) => ({
            index,
            ...payload[index % payload.length],
          })),
        );
        expect(seen.map(({ endOfSequence }) => endOfSequence).indexOf(true)).toBe(load.tokens - 1);
        // Where the clock of CPU time is coarse it can be nothing.
        expect(cost.cpuMicroseconds).toBeGreaterThanOrEqual(0);
        expect(cost.durationNanoseconds).toBeGreaterThan(0);
      }
    } finally {
      await producer.close();
    }
  });

  it("fails a run whose thread is gone", async () => {
    const producer = await openProducerThread([{ id: 1, text: "a" }]);
    await producer.close();
    const load = { tokens: 1, gapMicroseconds: 0 };
    await expect(producer.carry(postMessage, load, () => undefined)).rejects.toMatchObject({
      code: "WORKER_FAILED",
    });
  });
});

describe("transportMeasurement", { timeout }, () => {
  it("runs every transport once in each block, and the record can be read", async () => {
    const measured = await measure({});
    const [measurement] = measured ?? [];
    if (measurement === undefined) return expect.fail("There is no measurement.");
    const names = every.map(({ name }) => name);
    expect(measurement.blocks).toHaveLength(6);
    for (const { runs } of measurement.blocks) {
      expect(runs.map(({ transport }) => transport).toSorted()).toEqual(names.toSorted());
    }
    const orders = measurement.blocks.map(({ runs }) => String(runs.map((run) => run.transport)));
    expect(new Set(orders).size).toBe(6);
    expect(measurement.transports.map(({ transport }) => transport)).toEqual(names);
    for (const { transport, deliveryLatency, ring, comparisons } of measurement.transports) {
      expect([transport, deliveryLatency?.count ?? 0]).toEqual([
        transport,
        transport === "none" ? 0 : 6 * 60,
      ]);
      const kind = every.find(({ name }) => name === transport)?.kind;
      expect(ring === null).toBe(kind !== "ring");
      expect(comparisons.map(({ against }) => against)).toEqual(
        ["none", "postMessage"].filter((name) => name !== transport),
      );
    }
    expect(measurement.transports[1]?.ring).toEqual({
      capacity: 64,
      publishBatch: 16,
      wait: "waitAsync",
      spinMicroseconds: 0,
      maxDelayMilliseconds: 4,
    });
    expect(measurement.warmUp.blocksDropped).toBeGreaterThanOrEqual(5);
    const record = { ...(await exampleRecord()), transports: measured };
    expect(parseRecord(JSON.parse(JSON.stringify(record))).transports).toEqual(measured);
  });

  const claim = { transport: "ring", against: "postMessage", control: "postMessage again" };
  const judged = (ringMicroseconds: number, again_: (run: number) => number) =>
    measure({
      transports: [{ name: "ring", kind: "ring", ring: {} }, postMessage, again, none],
      claims: [{ ...claim, limit: 0.2 }],
      openProducer: fakeProducer(
        (tokens) => tokens,
        ({ name }, run) =>
          name === "ring" ? ringMicroseconds : name === again.name ? again_(run) : 1000,
      ),
    });

  it.each([
    ["upheld", 130],
    ["refuted", 300],
  ])("judges a ratio of CPU time: %s", async (verdict, ringMicroseconds) => {
    const [measurement] = (await judged(ringMicroseconds, () => 1000)) ?? [];
    expect(measurement?.claims).toMatchObject([{ ...claim, limit: 0.2, verdict }]);
    const ring = measurement?.transports.find(({ transport }) => transport === "ring");
    const against = ring?.comparisons.find((comparison) => comparison.against === "postMessage");
    expect(against?.cpuRatio?.hodgesLehmann.value).toBeCloseTo(ringMicroseconds / 1000, 12);
    expect(against?.addedCpuMicrosecondsPerToken?.mean.value).toBeCloseTo(
      (ringMicroseconds - 1000) / 60,
      9,
    );
    expect(ring?.cpuMicrosecondsPerToken).toBeCloseTo(ringMicroseconds / 60, 9);
    expect(ring?.throughputTokensPerSecond).toBeCloseTo(60_000, 6);
  });

  it("leaves room for what the baseline differs from itself by", async () => {
    const [near] = (await judged(190, () => 1100)) ?? [];
    expect(near?.claims[0]?.verdict).toBe("void");
    expect(near?.claims[0]?.reasons.join(" ")).toMatch(/against itself is 1\.100 .* excludes 1/);
    const [far] = (await judged(130, () => 1100)) ?? [];
    expect(far?.claims[0]?.verdict).toBe("upheld");
    expect(far?.claims[0]?.reasons[0]).toMatch(/in this process\); .* room for a factor of 1\.100/);
  });

  it("is undecided without an interval", async () => {
    const [tooCoarse] = (await judged(0, () => 1000)) ?? [];
    expect(tooCoarse?.claims[0]?.verdict).toBe("inconclusive");
  });

  const meddlers: [string, (tokens: readonly StreamToken[]) => readonly StreamToken[], RegExp][] = [
    [
      "loses one",
      (tokens) => tokens.filter(({ index }) => index !== 3),
      /5 of 6 tokens.* at 3 came the token 4/,
    ],
    ["loses the last", (tokens) => tokens.slice(0, -1), /delivered 5 of 6 tokens\./],
    ["doubles one", (tokens) => [...tokens, tokens.at(-1)!], /7 of 6 tokens.* at 6 /],
    [
      "swaps two",
      ([first, second, ...rest]) => [second!, first!, ...rest],
      /at 0 came the token 1 /,
    ],
    [
      "changes a text",
      (tokens) => tokens.map((token) => ({ ...token, text: "" })),
      /at 0 came the token 0 /,
    ],
  ];
  it.each(meddlers)("fails when a transport %s", async (_, meddle, message) => {
    await expect(measure({ openProducer: fakeProducer(meddle) })).rejects.toMatchObject({
      code: "OUTPUT_MISMATCH",
      message: expect.stringMatching(message) as string,
    });
  });

  it("measures nothing once it is aborted", async () => {
    expect(
      await measure({ openProducer: fakeProducer((tokens) => tokens) }, AbortSignal.abort()),
    ).toBeUndefined();
  });
});

describe("the scenarios", () => {
  it("have a measurement for each load, on tokens of the paced engine", () => {
    for (const [scenario, ids] of [
      [transports, ["transports-burst", "transports-1ms", "transports-5ms"]],
      [buffers, ["buffers-burst", "buffers-100us"]],
    ] as const) {
      const [stage, ...others] = scenario.stages("quick");
      expect(others).toEqual([]);
      expect(stage?.generator.id).toBe("paced-0us-inline");
      expect(stage?.measurements.map(({ id }) => id)).toEqual(ids);
    }
  });
});
