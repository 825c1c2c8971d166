import { describe, expect, it } from "vitest";
import { findRate, type StepVerdict } from "../src/load/find-rate.js";
import { searchSchedule } from "../src/load/load-plan.js";
import type { RequestMix } from "../src/load/request-mix.js";
import { runShard } from "../src/load/run-shard.js";
import { StageTally } from "../src/load/stage-tally.js";
import { isSurelyMissed, judgeStep, searchVerdict } from "../src/load/step-verdict.js";
import type { FoundRate, Objective, RateSchedule } from "../src/record/index.js";
import { createDraw } from "../src/statistics/draw.js";
import { capacityOf, createSimulatedServer, type SimulatedServer } from "./simulated-server.js";
import { VirtualTime } from "./virtual-time.js";

const search = { startPerSecond: 1, precision: 0.05 };

/** A server that meets up to a rate and misses above. */
async function findCapacity(
  capacity: number,
  change: Partial<typeof search> = {},
): Promise<FoundRate & { steps: number[] }> {
  const steps: number[] = [];
  const found = await findRate({ ...search, ...change }, (rate) => {
    steps.push(rate);
    return Promise.resolve(rate <= capacity ? "met" : "missed");
  });
  return { ...found, steps };
}

describe("a search", () => {
  it.each([0.02, 0.9, 1, 7, 43.7, 1000, 123_456])("brackets a capacity of %d", async (capacity) => {
    const found = await findCapacity(capacity);
    const { metPerSecond: met, missedPerSecond: missed } = found;
    expect(found.conclusion).toBe("found");
    expect(met).toBeLessThanOrEqual(capacity);
    expect(missed).toBeGreaterThan(capacity);
    expect((missed ?? 0) / (met ?? 0) - 1).toBeLessThanOrEqual(0.05);
    // Either end in two steps, and the path to it.
    for (const end of [met, missed])
      expect(found.steps.filter((rate) => rate === end)).toHaveLength(2);
    expect(found.steps.length).toBeLessThan(32);
    expect(found.method).toContain("RFC 2544");
  });

  it("is as precise as it is asked to be", async () => {
    const found = await findCapacity(50, { precision: 0.01 });
    expect((found.missedPerSecond ?? 0) / (found.metPerSecond ?? 0) - 1).toBeLessThanOrEqual(0.01);
  });

  it("does not believe one step: some go wrong", async () => {
    let right = 0;
    for (let seed = 0; seed < 50; seed += 1) {
      const draw = createDraw(seed);
      const found = await findRate(search, (rate) => {
        const isMet = rate <= 40;
        return Promise.resolve(isMet === draw.chance(0.95) ? "met" : "missed");
      });
      const { metPerSecond: met, missedPerSecond: missed } = found;
      if ((met ?? 0) > 30 && (missed ?? Infinity) < 55) right += 1;
    }
    // An end is wrong where two of three steps are: 1 in 140.
    expect(right).toBeGreaterThan(46);
  });

  it("takes a step back when a rate that met once then misses twice", async () => {
    const answers: Record<string, StepVerdict[]> = { 1: [], 2: [], 4: ["met", "missed", "missed"] };
    const found = await findRate({ startPerSecond: 1, precision: 1 }, (rate) => {
      const next = answers[rate]?.shift();
      return Promise.resolve(next ?? (rate < 4 ? "met" : "missed"));
    });
    expect(found).toMatchObject({ metPerSecond: 2, missedPerSecond: 4, conclusion: "found" });
  });

  it.each<[StepVerdict, FoundRate["conclusion"]]>([
    ["late", "client late"],
    ["interrupted", "interrupted"],
  ])("ends where a step is %s, with what it knows", async (verdict, conclusion) => {
    const found = await findRate(search, (rate) => Promise.resolve(rate <= 4 ? "met" : verdict));
    expect(found).toMatchObject({ metPerSecond: 4, missedPerSecond: null, conclusion });
  });

  it("repeats a step in which the client was late, twice", async () => {
    const steps: number[] = [];
    const found = await findRate({ startPerSecond: 1, precision: 1 }, (rate) => {
      steps.push(rate);
      const isLate = rate === 2 && steps.filter((other) => other === 2).length <= 2;
      return Promise.resolve(isLate ? "late" : rate <= 2 ? "met" : "missed");
    });
    expect(found).toMatchObject({ metPerSecond: 2, missedPerSecond: 4, conclusion: "found" });
    expect(steps.slice(0, 5)).toEqual([1, 2, 2, 2, 4]);
  });

  it.each([
    [{ good: 98, late: 0 }, "missed", "missed"],
    [{ good: 98, late: 1 }, "missed", "late"],
    [{ good: 90, late: 5 }, "missed", "missed"],
    [{ good: 99, late: 50 }, "met", "met"],
  ] as const)(
    "lays a miss to the client that late requests explain: %j",
    (counts, verdict, expected) => {
      const tally = new StageTally(
        { stage: 0, seconds: 10, offered: 100 },
        { limits: {}, lateAfterNanoseconds: 1 },
      );
      const stages = [{ ...tally.summarize(), arrived: 100, completed: 100, ...counts }];
      const objective = { limits: { endToEnd: 1 }, share: 0.99 };
      expect(searchVerdict(objective, { status: "complete", verdict, stages })).toBe(expected);
      expect(searchVerdict(objective, { status: "decided", verdict, stages })).toBe(verdict);
      expect(searchVerdict(objective, { status: "interrupted", verdict: null, stages })).toBe(
        "interrupted",
      );
    },
  );

  it("says that nothing meets", async () => {
    const found = await findCapacity(0);
    expect(found).toMatchObject({ metPerSecond: null, conclusion: "nothing meets" });
    expect(found.steps.length).toBeLessThan(10);
  });

  it("ends though there is no end", async () => {
    expect(await findCapacity(Infinity)).toMatchObject({
      missedPerSecond: null,
      conclusion: "too many steps",
    });
  });

  it.each([
    [{ startPerSecond: 0 }, /first rate is 0/],
    [{ startPerSecond: Number.NaN }, /first rate is NaN/],
    [{ precision: 0.001 }, /precision is 0.001/],
    [{ precision: 2 }, /precision is 2/],
  ])("is refused: %j", async (change, problem) => {
    const refused = findRate({ ...search, ...change }, () => Promise.resolve("met"));
    await expect(refused).rejects.toThrow(problem);
    await expect(refused).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});

describe("a search on a server with a known capacity", () => {
  const tokens = 2;
  const mix: RequestMix = {
    source: "filler",
    list: [],
    inputTokens: { kind: "fixed", count: 2 },
    outputTokens: { kind: "fixed", count: tokens },
    ignoreEos: false,
  };

  async function find(
    server: SimulatedServer,
    {
      arrivals,
      limit,
      seconds,
    }: { arrivals: RateSchedule["arrivals"]; limit: number; seconds: number },
  ): Promise<FoundRate> {
    const objective: Objective = { limits: { timeToFirstToken: limit }, share: 0.99 };
    let step = 0;
    return await findRate({ startPerSecond: 5, precision: 0.05 }, async (perSecond) => {
      const plan = { seed: 1851, arrivals };
      const offer = { kind: "find", startPerSecond: 5, seconds } as const;
      const schedule = searchSchedule(plan, offer, { perSecond, step });
      step += 1;
      const time = new VirtualTime();
      const work = runShard(
        { schedule, shard: 0, of: 1, startAtNanoseconds: 0 },
        {
          generator: createSimulatedServer(time, server),
          mix,
          limits: objective.limits,
          lateAfterNanoseconds: 10e6,
          clock: time,
          waitUntil: (due) => time.until(due),
          isDecided: (tallies) => isSurelyMissed(objective, tallies),
        },
      );
      const { status, stages } = await time.run(work, { turns: 3 });
      return judgeStep(objective, status, stages) ?? "interrupted";
    });
  }

  // Drawn arrivals come in bunches, which wait before the server is full: a wider limit lets them.
  it.each([
    ["constant", { places: 8, tokenSeconds: 0.1 }, { limit: 600e6, seconds: 30 }],
    ["constant", { places: 3, tokenSeconds: 0.04 }, { limit: 600e6, seconds: 30 }],
    ["poisson", { places: 8, tokenSeconds: 0.1 }, { limit: 2e9, seconds: 60 }],
  ] as const)(
    "finds it within 10 %%, with %s arrivals, a server of %j, %j",
    async (arrivals, server, how) => {
      const capacity = capacityOf(server, tokens);
      const found = await find(server, { arrivals, ...how });
      expect(found.conclusion).toBe("found");
      expect(Math.abs((found.metPerSecond ?? 0) / capacity - 1)).toBeLessThan(0.1);
      expect(Math.abs((found.missedPerSecond ?? 0) / capacity - 1)).toBeLessThan(0.1);
    },
  );
});
