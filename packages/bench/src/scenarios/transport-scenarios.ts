import { williamsDesign } from "../block-order.js";
import { measurementsOn, paced } from "./build-stage.js";
import type { Scenario, Size } from "./stage.js";
import { transportMeasurement, type TransportOptions } from "./transport-measurement.js";
import type { TransportLoad } from "./transports/producer-thread.js";
import type { RingTransportPlan, TransportPlan } from "./transports/transport-plan.js";

const defaultRing = "ring, waitAsync";
const noTransport = "none";

/** Its second run in each block shows what is reported where there is no difference. */
const contenders: readonly TransportPlan[] = [
  { name: defaultRing, kind: "ring", ring: { wait: "waitAsync" } },
  { name: "ring, message", kind: "ring", ring: { wait: "message" } },
  { name: "ring, block", kind: "ring", ring: { wait: "block" } },
  {
    name: "ring, block after 50 µs",
    kind: "ring",
    ring: { wait: "block", spinMicroseconds: 50 },
  },
  { name: "postMessage", kind: "postMessage" },
  { name: "postMessage again", kind: "postMessage" },
  { name: "comlink callback", kind: "comlink", awaited: false },
  { name: "comlink callback, awaited", kind: "comlink", awaited: true },
  { name: "ReadableStream", kind: "readableStream" },
  { name: noTransport, kind: "none" },
];

/** In a burst a ring needs at most a fifth of what messages do, however its consumer sleeps. */
const claims = [defaultRing, "ring, message", "ring, block"].map((transport) => ({
  transport,
  against: "postMessage",
  control: "postMessage again",
  limit: 0.2,
}));

/** Rounds of balanced orders, and the seconds after which it ends with what it has. */
type Rounds = Readonly<Record<Size, readonly [rounds: number, timeBudgetSeconds: number]>>;

/** How tokens can cross between threads, and what each way costs. */
export const transports: Scenario = {
  name: "transports",
  description: "ring, postMessage, comlink and ReadableStream: CPU per token, and latency",
  stages: (size) => [
    measurementsOn(
      paced(0, "inline"),
      [
        interleaved(
          "burst",
          { tokens: 20_000, gapMicroseconds: 0 },
          { quick: [2, 80], standard: [2, 80], full: [6, 300] },
        ),
        interleaved(
          "1ms",
          { tokens: 200, gapMicroseconds: 1000 },
          { quick: [2, 60], standard: [2, 60], full: [4, 150] },
        ),
        interleaved(
          "5ms",
          { tokens: 100, gapMicroseconds: 5000 },
          { quick: [1, 70], standard: [1, 70], full: [2, 200] },
        ),
      ].map((withRounds) => withRounds(size)),
    ),
  ],
};

function interleaved(
  load: string,
  { tokens, gapMicroseconds }: TransportLoad,
  rounds: Rounds,
): (size: Size) => ReturnType<typeof transportMeasurement> {
  return (size) => {
    return transportMeasurement({
      id: `transports-${load}`,
      scenario: "transports",
      load: { tokens, gapMicroseconds },
      transports: contenders,
      baselines: [noTransport, "postMessage", defaultRing],
      claims: gapMicroseconds === 0 ? claims : [],
      ...extent(contenders, rounds[size]),
    });
  };
}

const capacities = [1, 4, 16, 64, 256, 1024, 4096];
const publishBatches = [1, 4, 16, 64];

/** Every pair in which the ring has room for a batch. */
export const rings: readonly RingTransportPlan[] = capacities.flatMap((capacity) =>
  publishBatches
    .filter((publishBatch) => publishBatch <= capacity)
    .map((publishBatch) => ringPlan(capacity, publishBatch)),
);

function ringPlan(capacity: number, publishBatch: number): RingTransportPlan {
  return {
    name: `ring ${capacity}, batch ${publishBatch}`,
    kind: "ring",
    ring: { capacity, publishBatch },
  };
}

/** What a ring's size and a producer's batches do. */
export const buffers: Scenario = {
  name: "buffers",
  description: "ring capacities 1 to 4096 and publish batches 1 to 64: throughput, latency, CPU",
  stages: (size) => [
    measurementsOn(
      paced(0, "inline"),
      [
        { load: "burst", tokens: 10_000, gapMicroseconds: 0 },
        { load: "100us", tokens: 1000, gapMicroseconds: 100 },
      ].map(({ load, tokens, gapMicroseconds }) =>
        transportMeasurement({
          id: `buffers-${load}`,
          scenario: "buffers",
          load: { tokens, gapMicroseconds },
          transports: rings,
          // The runtime's default.
          baselines: [ringPlan(256, 1).name],
          ...extent(rings, size === "full" ? [3, 400] : [1, 110]),
        }),
      ),
    ),
  ],
};

function extent(
  plans: readonly TransportPlan[],
  [rounds, timeBudgetSeconds]: readonly [number, number],
): Pick<TransportOptions, "blocks" | "timeBudgetSeconds" | "expectedSeconds"> {
  return {
    blocks: rounds * williamsDesign(plans.length).length,
    timeBudgetSeconds,
    expectedSeconds: 0.8 * timeBudgetSeconds,
  };
}
