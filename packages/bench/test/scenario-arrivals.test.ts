import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LatencySummary, Treatment } from "../src/record/index.js";
import { arrivalsMeasurement, type ArrivalsOptions } from "../src/scenarios/arrivals.js";
import type { GeneratorPlan, ScenarioGenerator } from "../src/plan/generator-plan.js";
import { openGenerator } from "../src/scenarios/open-generator.js";
import { poissonArrivals } from "../src/scenarios/poisson-arrivals.js";
import { summarizeLatencies } from "../src/scenarios/summarize-latencies.js";
import { aloneGenerations } from "../src/scenarios/time-alone.js";
import { measurementContext } from "./measurement-context.js";
import { VirtualTime, createVirtualGenerator } from "./virtual-time.js";

function take<T>(count: number, values: Iterator<T, never>): T[] {
  return Array.from({ length: count }, () => values.next().value);
}

describe("poissonArrivals", () => {
  it("draws the same moments from the same seed, at any rate", () => {
    const moments = take(50, poissonArrivals(7, 10));
    expect(take(50, poissonArrivals(7, 10))).toEqual(moments);
    expect(take(50, poissonArrivals(8, 10))).not.toEqual(moments);
    for (const [index, moment] of take(50, poissonArrivals(7, 1000)).entries()) {
      expect(moment * 100).toBeCloseTo(moments[index] ?? Number.NaN, 0);
    }
  });

  it("has exponential gaps: their mean is 1 / rate, and so is their standard deviation", () => {
    const moments = take(20_000, poissonArrivals(1, 100));
    const gaps = moments.map((moment, index) => moment - (moments[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
    expect(mean / 1e7).toBeCloseTo(1, 1);
    expect(Math.sqrt(variance) / 1e7).toBeCloseTo(1, 1);
    expect(gaps.filter((gap) => gap > mean).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
  });

  it("refuses a rate of nothing", () => {
    expect(() => poissonArrivals(1, 0).next()).toThrow(RangeError);
  });
});

describe("arrivals in virtual time", () => {
  const tokens = 10;
  const aloneNanoseconds = 10e6;
  const offeredLoad = 0.5;
  const generations = 200;
  const stallNanoseconds = 1e9;
  const stalledArrival = 20;

  /** What a queue before one worker does to each arrival (Lindley 1952). */
  function expectedLatencies(seed: number): number[] {
    const rate = offeredLoad / (aloneNanoseconds / 1e9);
    let free = 0;
    return take(generations, poissonArrivals(seed, rate)).map((due, arrival) => {
      const stall = arrival === stalledArrival ? stallNanoseconds : 0;
      free = Math.max(free, due) + stall + aloneNanoseconds;
      return free - due;
    });
  }

  async function measure(
    treatment: Treatment,
    changes: Partial<ArrivalsOptions> & { plan?: GeneratorPlan; signal?: AbortSignal } = {},
    fails?: (call: number) => boolean,
  ) {
    const { plan, signal, ...options } = changes;
    const time = new VirtualTime();
    const generator = createVirtualGenerator(time, {
      tokenNanoseconds: aloneNanoseconds / tokens,
      stallNanoseconds: (call) => (call === aloneGenerations + stalledArrival ? 1e9 : 0),
      ...(fails === undefined ? {} : { fails }),
    });
    const measurement = arrivalsMeasurement({
      treatment,
      tokens,
      offeredLoad,
      generations,
      waitUntil: (due) => time.until(due),
      ...options,
    });
    const context = measurementContext({
      clock: time,
      ...(plan === undefined ? {} : { plan }),
      ...(signal === undefined ? {} : { signal }),
    });
    return await time.run(measurement.measure(generator, context));
  }

  const close = (measured: LatencySummary, expected: LatencySummary): void => {
    for (const field of ["meanNanoseconds", "p50Nanoseconds", "p99Nanoseconds"] as const) {
      expect(measured[field] / expected[field]).toBeCloseTo(1, 2);
    }
    expect(measured.count).toBe(expected.count);
  };

  it.each<Treatment>(["generate", "stream", "streamAsync"])(
    "shows a stall to everybody who waits, and a closed loop once: %s",
    async (treatment) => {
      const [measured] = (await measure(treatment)).arrivals ?? [];
      if (measured === undefined) return expect.fail("There is no measurement.");
      const expected = expectedLatencies(1851);
      // The stall must have met a crowd for this to say anything.
      expect(expected.filter((latency) => latency > 10 * aloneNanoseconds).length).toBeGreaterThan(
        40,
      );
      expect(measured).toMatchObject({ aloneNanoseconds, arrivalsPerSecond: 50, generations });
      close(measured.endToEnd, summarizeLatencies(expected));
      expect(measured.endToEnd.maximumNanoseconds).toBeGreaterThan(stallNanoseconds);
      close(
        measured.serviceTime,
        summarizeLatencies(
          expected.map((_, arrival) =>
            arrival === stalledArrival ? stallNanoseconds + aloneNanoseconds : aloneNanoseconds,
          ),
        ),
      );
      expect(measured.serviceTime.p99Nanoseconds).toBeLessThan(1.01 * aloneNanoseconds);
      expect(measured.callLateness.maximumNanoseconds).toBe(0);
      if (treatment === "generate") return expect(measured.timeToFirstToken).toBeNull();
      // The other nine tokens follow the first one at their pace.
      const first = expected.map((latency) => latency - 0.9 * aloneNanoseconds);
      if (measured.timeToFirstToken !== null)
        close(measured.timeToFirstToken, summarizeLatencies(first));
    },
  );

  it("asks as much of several workers as they can do together", async () => {
    const plan = { ...measurementContext().plan, workers: 4 };
    const [measured] = (await measure("stream", { plan, generations: 5 })).arrivals ?? [];
    expect(measured).toMatchObject({ workers: 4, arrivalsPerSecond: 200, offeredLoad: 0.5 });
  });

  it("returns what there is when it is aborted, and nothing before there is anything", async () => {
    const controller = new AbortController();
    let waits = 0;
    const time = new VirtualTime();
    const generator = createVirtualGenerator(time, { tokenNanoseconds: 1e6 });
    const measurement = arrivalsMeasurement({
      treatment: "stream",
      tokens,
      offeredLoad: 0.1,
      generations,
      waitUntil: async (due) => {
        waits += 1;
        await time.until(due);
        if (waits === 8) controller.abort();
      },
    });
    const context = measurementContext({ clock: time, signal: controller.signal });
    const { arrivals } = await time.run(measurement.measure(generator, context));
    expect(arrivals?.[0]?.generations).toBeLessThanOrEqual(7);
    expect(arrivals?.[0]?.generations).toBeGreaterThan(0);
    expect(await measure("stream", { signal: AbortSignal.abort() })).toEqual({});
  });

  it("fails when a generation fails, after the others have ended", async () => {
    const fails = (call: number): boolean => call === aloneGenerations + 3;
    await expect(measure("generate", {}, fails)).rejects.toThrow("on fire");
  });
});

describe("arrivals at the paced engine", () => {
  const plan: GeneratorPlan = {
    id: "paced",
    engine: "paced",
    model: "paced",
    host: "pooled",
    workers: 2,
  };
  let generator: ScenarioGenerator;
  beforeAll(async () => {
    generator = await openGenerator(plan);
  });
  afterAll(() => generator.close());

  it.each<Treatment>(["generate", "stream", "streamAsync"])(
    "never finds a latency below the service time: %s",
    async (treatment) => {
      const options = { treatment, tokens: 20, offeredLoad: 0.8, generations: 30 };
      const { arrivals } = await arrivalsMeasurement(options).measure(
        generator,
        measurementContext({ plan }),
      );
      const [measured] = arrivals ?? [];
      if (measured === undefined) return expect.fail("There is no measurement.");
      expect(measured).toMatchObject({ generator: "paced", treatment, workers: 2, tokens: 20 });
      for (const summary of [measured.endToEnd, measured.serviceTime, measured.callLateness]) {
        expect(summary.count).toBe(30);
      }
      for (const field of ["p50Nanoseconds", "p90Nanoseconds", "maximumNanoseconds"] as const) {
        expect(measured.endToEnd[field]).toBeGreaterThanOrEqual(measured.serviceTime[field]);
        const first = measured.timeToFirstToken;
        if (first !== null) expect(first[field]).toBeLessThanOrEqual(measured.endToEnd[field]);
      }
      expect(measured.timeToFirstToken === null).toBe(treatment === "generate");
    },
  );
});
