import type { RingOptions } from "@streamgauge/runtime/ring";
import { williamsDesign } from "../measure/block-order.js";
import { measurementsOn, paced } from "../plan/build-stage.js";
import type { Scenario, Stage } from "../plan/stage.js";
import { transportMeasurement } from "./transport-measurement.js";
import type { TransportOptions } from "./transports/transport-options.js";
import type { TransportLoad } from "./transports/producer-thread.js";
import type { RingTransportPlan, TransportPlan } from "./transports/transport-plan.js";

/** It sleeps in `Atomics.waitAsync`, and dozes when tokens come fast. */
const defaultRing = "ring";
/** The default ring, but woken for every token. */
const everyToken = "ring, 0 ms";
const noTransport = "none";

/** `postMessage` runs twice: that shows what is reported where there is no difference. */
const contenders: readonly TransportPlan[] = [
  { name: defaultRing, kind: "ring", ring: { wait: "waitAsync" } },
  { name: "ring, message", kind: "ring", ring: { wait: "message" } },
  { name: "ring, block", kind: "ring", ring: { wait: "block" } },
  {
    name: "ring, block + 50 µs",
    kind: "ring",
    ring: { wait: "block", spinMicroseconds: 50 },
  },
  { name: everyToken, kind: "ring", ring: { wait: "waitAsync", maxDelayMilliseconds: 0 } },
  { name: "ring, block, 0 ms", kind: "ring", ring: { wait: "block", maxDelayMilliseconds: 0 } },
  { name: "postMessage", kind: "postMessage" },
  { name: "postMessage again", kind: "postMessage" },
  { name: "comlink callback", kind: "comlink", awaited: false },
  { name: "comlink, awaited", kind: "comlink", awaited: true },
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
type Rounds = readonly [rounds: number, timeBudgetSeconds: number];

interface SizedLoad extends TransportLoad {
  readonly id: string;
  readonly rounds: Rounds;
}

const transportLoads: readonly SizedLoad[] = [
  { id: "burst", tokens: 20_000, gapMicroseconds: 0, rounds: [2, 80] },
  { id: "1ms", tokens: 200, gapMicroseconds: 1000, rounds: [2, 60] },
  { id: "5ms", tokens: 100, gapMicroseconds: 5000, rounds: [1, 70] },
];

/** How tokens can cross between threads, and what each way costs. */
export const transports: Scenario = {
  name: "transports",
  description: "ring, postMessage, comlink and ReadableStream: CPU per token, and latency",
  stages: () =>
    carried("transports", transportLoads, {
      transports: contenders,
      baselines: [noTransport, "postMessage", defaultRing, everyToken],
      burstClaims: claims,
    }),
};

const capacities = [1, 4, 16, 64, 256, 1024, 4096];
const publishBatches = [1, 4, 16, 64];

/**
 * Every pair in which the ring has room for a batch, and every capacity once more
 * where each token wakes; at 1 it does anyway, as it fills the ring.
 */
export const rings: readonly RingTransportPlan[] = capacities.flatMap((capacity) => [
  ...publishBatches
    .filter((publishBatch) => publishBatch <= capacity)
    .map((publishBatch) => ringPlan({ capacity, publishBatch })),
  ...(capacity === 1 ? [] : [ringPlan({ capacity, publishBatch: 1, maxDelayMilliseconds: 0 })]),
]);

function ringPlan(ring: RingOptions): RingTransportPlan {
  const { capacity, publishBatch, maxDelayMilliseconds } = ring;
  const delay = maxDelayMilliseconds === undefined ? "" : `, ${maxDelayMilliseconds} ms`;
  return { name: `ring ${capacity}, batch ${publishBatch}${delay}`, kind: "ring", ring };
}

const bufferLoads: readonly SizedLoad[] = [
  { id: "burst", tokens: 10_000, gapMicroseconds: 0, rounds: [1, 110] },
  { id: "100us", tokens: 1000, gapMicroseconds: 100, rounds: [1, 110] },
];

/** What a ring's size and a producer's batches do. */
export const buffers: Scenario = {
  name: "buffers",
  description: "ring capacities 1 to 4096 and publish batches 1 to 64: throughput, latency, CPU",
  stages: () =>
    carried("buffers", bufferLoads, {
      transports: rings,
      // The runtime's default.
      baselines: [ringPlan({ capacity: 256, publishBatch: 1 }).name],
      burstClaims: [],
    }),
};

/** Every load by every transport. */
function carried(
  scenario: string,
  loads: readonly SizedLoad[],
  {
    burstClaims,
    ...contest
  }: Pick<TransportOptions, "transports" | "baselines"> & {
    readonly burstClaims: NonNullable<TransportOptions["claims"]>;
  },
): readonly Stage[] {
  const balanced = williamsDesign(contest.transports.length).length;
  const measurements = loads.map(({ id, rounds, ...load }) => {
    const [count, timeBudgetSeconds] = rounds;
    return transportMeasurement({
      ...contest,
      id: `${scenario}-${id}`,
      scenario,
      load,
      claims: load.gapMicroseconds === 0 ? burstClaims : [],
      blocks: count * balanced,
      timeBudgetSeconds,
      expectedSeconds: 0.8 * timeBudgetSeconds,
    });
  });
  return [measurementsOn(paced(0, "inline"), measurements)];
}
