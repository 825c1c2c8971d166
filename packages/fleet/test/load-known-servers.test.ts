import { requestOf, StageTally, summarizeLoad, type RequestSample } from "@streamgauge/bench/load";
import { describe, expect, it } from "vitest";
import {
  boundedCapacity,
  breakingDown,
  slowByPrompt,
  slowLimitNanoseconds,
  slowPrompts,
  stoppingAt,
} from "../../bench/test/known-servers.js";
import { inTemporaryFolder } from "./fleet-run.js";
import {
  expectVerified,
  expectWhole,
  fleetForEachTest,
  samplesOf,
  type LoadChanges,
  type LoadSteps,
} from "./load-fleet.js";

const fleet = fleetForEachTest();

function startThree(): void {
  for (const machine of ["one", "two", "three"]) fleet.start(machine);
}

/** One step from three agents; its record is whole. */
async function offerStep(changes: LoadChanges): Promise<{
  readonly step: LoadSteps[number];
  readonly requests: readonly RequestSample[];
  readonly goodputPerSecond: number | undefined;
}> {
  startThree();
  return await inTemporaryFolder(async (folder) => {
    const { record } = await fleet.load(3, folder, { arrivals: "constant", ...changes });
    const [step] = await expectWhole(folder);
    if (step === undefined) throw new Error("There is no step.");
    expect(step.shards).toBe(3);
    const samples = await samplesOf(step, folder);
    return {
      step,
      requests: samples.flatMap(({ requests }) => requests),
      goodputPerSecond: summarizeLoad(record, folder).stages[0]?.goodputPerSecond,
    };
  });
}

describe("a load from three agents on a server of known behaviour", () => {
  it("sees a server that stops in the latencies of all that are due meanwhile", async () => {
    const { script, waited } = stoppingAt(40, 500);
    await fleet.answer(script);
    const { step, requests } = await offerStep({
      offer: { kind: "rates", perSecond: [100], seconds: 1.5 },
    });
    // 50 were due in these 500 ms. Three clients that wait for answers would have asked three times.
    expect(waited()).toBeGreaterThan(10);
    const slow = requests.filter(({ endNanoseconds }) => endNanoseconds >= 100e6);
    expect(slow.length).toBeGreaterThan(25);
    const [stage] = step.stages;
    expect(stage).toMatchObject({ offered: 150, arrived: 150, completed: 150 });
    expect(stage?.endToEnd?.p99Nanoseconds).toBeGreaterThan(400e6);
    expect(stage?.timeToFirstToken?.p99Nanoseconds).toBeGreaterThan(400e6);
  });

  it("counts as good what the server is known to have answered in time", async () => {
    await fleet.answer(slowByPrompt);
    const mix = {
      source: "list",
      list: slowPrompts,
      inputTokens: { kind: "fixed", count: 3 },
      outputTokens: { kind: "fixed", count: 2 },
      ignoreEos: false,
    } as const;
    const limits = { timeToFirstToken: slowLimitNanoseconds };
    const { step, requests, goodputPerSecond } = await offerStep({
      mix,
      objective: { limits, share: 0.99 },
      offer: { kind: "rates", perSecond: [40], seconds: 1 },
    });
    const count = (...which: readonly unknown[]): number =>
      requests.filter(({ index }) =>
        which.includes(requestOf(mix, step.schedule.seed, index).prompt),
      ).length;
    expect(count("fast", "slow first", "slow second")).toBe(40);
    for (const kind of ["fast", "slow first", "slow second"]) {
      expect(count(kind)).toBeGreaterThan(3);
    }
    expect(step.stages[0]?.good).toBe(count("fast", "slow second"));
    expect(step.verdict).toBe("missed");
    // In a stage of a second.
    expect(goodputPerSecond).toBe(count("fast", "slow second"));
    const goodUnder = (other: object): number => {
      const stage = { stage: 0, seconds: 1, offered: 40 };
      const tally = new StageTally(stage, { limits: other, lateAfterNanoseconds: 10e6 });
      for (const request of requests) tally.add(request);
      return tally.summarize().good;
    };
    expect(goodUnder({ interTokenLatency: slowLimitNanoseconds })).toBe(
      count("fast", "slow first"),
    );
    expect(goodUnder({ endToEnd: slowLimitNanoseconds })).toBe(count("fast"));
  });

  it("finds the capacity of a server within 10 %", { timeout: 300_000 }, async () => {
    const server = { places: 20, holdMilliseconds: 500, mostWaiting: 12 };
    await fleet.answer(breakingDown(server));
    startThree();
    await inTemporaryFolder(async (folder) => {
      // So that no rate that is tried is nearer to the capacity than noise.
      const search = { startPerSecond: 0.771 * boundedCapacity(server), precision: 0.19 };
      await fleet.load(3, folder, {
        arrivals: "constant",
        offer: { kind: "find", seconds: 6, ...search },
        objective: { limits: { timeToFirstToken: 60e9 }, share: 0.95 },
      });
      const { foundRate, steps } = await expectVerified(folder);
      expect(foundRate?.conclusion).toBe("found");
      for (const rate of [foundRate?.metPerSecond, foundRate?.missedPerSecond]) {
        expect(Math.abs((rate ?? 0) / boundedCapacity(server) - 1)).toBeLessThan(0.1);
      }
      // Those that missed ended early.
      expect(steps.map(({ status }) => status)).toContain("decided");
    });
  });
});
