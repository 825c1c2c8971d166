import { describe, expect, it } from "vitest";
import { defaultSizes, gateMetrics } from "../src/gate/gate-work.js";
import {
  exitCodeOfGate,
  judgeMetrics,
  overallVerdict,
  type GateSamples,
} from "../src/gate/verdict.js";
import { createDraws } from "./noise-models.js";

/** 8 processes of 6 blocks, around a change, that differ by ± spread. */
function samples(metric: string, change: number, spread = 0.001): GateSamples {
  const logRatios = Array.from({ length: 8 }, (_, pair) =>
    Array.from(
      { length: 6 },
      (__, block) => Math.log1p(change) + spread * (((pair + block) % 3) - 1),
    ),
  );
  return { metric, logRatios };
}

function verdictOf(change: number, spread?: number) {
  return judgeMetrics([samples("any", change, spread)], 0.05)[0]?.verdict;
}

describe("a gate's verdict", () => {
  it("is a regression beyond the threshold, and none well below it", () => {
    expect(verdictOf(0.1)).toBe("regression");
    expect(verdictOf(0)).toBe("none");
    expect(verdictOf(-0.1)).toBe("none");
  });

  it("is none for a slowdown that is there and surely below the threshold", () => {
    expect(verdictOf(0.03)).toBe("none");
  });

  it("is a regression where the threshold itself is possible and indifference is not", () => {
    expect(verdictOf(0.049, 0.02)).toBe("regression");
  });

  it("is inconclusive where both indifference and the threshold are possible", () => {
    expect(verdictOf(0.02, 0.2)).toBe("inconclusive");
  });

  it("is inconclusive with fewer samples than an interval needs", () => {
    const few = { metric: "any", logRatios: [[0.2, 0.2]] };
    expect(judgeMetrics([few], 0.05)[0]).toMatchObject({ verdict: "inconclusive", change: null });
    expect(judgeMetrics([{ metric: "any", logRatios: [] }], 0.05)[0]?.verdict).toBe("inconclusive");
  });

  it("takes process means where processes differ", () => {
    const logRatios = Array.from({ length: 8 }, (_, pair) =>
      Array.from({ length: 6 }, (__, block) => (pair % 2 ? 0.08 : -0.08) + 0.001 * (block % 2)),
    );
    const [judged] = judgeMetrics([{ metric: "any", logRatios }], 0.05);
    expect(judged).toMatchObject({ level: "processes", verdict: "inconclusive" });
  });

  it("corrects for the number of metrics", () => {
    // Of eight process means one is faster, and third in size: 5/256 is < 5 % and > 5 % / 5.
    const logRatios = [-0.0625, 0.07, 0.08, 0.22, 0.23, 0.24, 0.25, 0.26].map((mean) => [
      mean,
      mean + 0.0001,
    ]);
    const alone = judgeMetrics([{ metric: "slow", logRatios }], 0.05);
    const others = Array.from({ length: 4 }, (_, index) => samples(`other ${index}`, 0));
    const among = judgeMetrics([{ metric: "slow", logRatios }, ...others], 0.05);
    expect(alone[0]?.verdict).toBe("regression");
    expect(among[0]?.verdict).toBe("inconclusive");
  });

  it("is of all metrics together: one regression is one, and all have to be cleared", () => {
    const of = (...verdicts: ("none" | "regression" | "inconclusive")[]) =>
      exitCodeOfGate(overallVerdict(verdicts.map((verdict) => ({ verdict }))));
    expect(of("none", "none")).toBe(0);
    expect(of("none", "inconclusive", "regression")).toBe(1);
    expect(of("none", "inconclusive")).toBe(2);
    expect(of()).toBe(2);
  });
});

/**
 * A machine on which blocks err by 4 %, pairs of processes by 1.5 %, and one run
 * in fifty is stalled; head's async mode is slower by what is injected.
 */
function simulate(seed: number, injected: number): ReturnType<typeof judgeMetrics> {
  const draws = createDraws(seed);
  const { pairs, blocks } = defaultSizes.paced;
  const stall = (): number => (draws.uniform() < 0.02 ? 0.3 * draws.uniform() : 0);
  const metrics = gateMetrics.map(({ name, mode, kind }) => ({
    metric: name,
    logRatios: Array.from({ length: pairs }, () => {
      const ofPair = 0.015 * draws.normal();
      const slower = mode === "generateStreamAsync" && kind === "time per token" ? injected : 0;
      return Array.from(
        { length: blocks },
        () => Math.log1p(slower) + ofPair + 0.04 * draws.normal() + stall() - stall(),
      );
    }),
  }));
  return judgeMetrics(metrics, 0.05);
}

describe("the operating characteristic of a gate", () => {
  const runs = 200;
  const regressions = (injected: number): number =>
    Array.from({ length: runs }, (_, seed) => overallVerdict(simulate(seed, injected))).filter(
      (verdict) => verdict === "regression",
    ).length / runs;

  it("raises a false alarm in at most 5 % of gates over identical code", () => {
    expect(regressions(0)).toBeLessThanOrEqual(0.05);
  });

  it("finds 10 % in at least 90 %, and 5 % in most", () => {
    expect(regressions(0.1)).toBeGreaterThanOrEqual(0.9);
    expect(regressions(0.05)).toBeGreaterThanOrEqual(0.5);
  });
});
