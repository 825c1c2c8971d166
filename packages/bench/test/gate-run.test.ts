import { describe, expect, it } from "vitest";
import type { Clock } from "../src/plan/clock.js";
import { gateMetrics, gateModes, gateSides, gateWork } from "../src/gate/gate-work.js";
import type { GateOptions } from "../src/gate/gate-options.js";
import { runGate } from "../src/gate/run-gate.js";
import { runSelfTest } from "../src/gate/self-test.js";
import type { OpenSide } from "../src/gate/side-process.js";

const work = gateWork("paced", { seed: 1, stepMicroseconds: 100 });

/** Versions that take as long as they are told, on a clock that moves only then. */
function bench(factors: { base: number; head: number }, ids = { base: "a", head: "a" }) {
  const asked: string[] = [];
  const opened: string[] = [];
  let open = 0;
  let measuring = 0;
  let now = 0;
  const clock: Clock = { name: "fake", nowNanoseconds: () => now };
  const openSide: OpenSide = async ({ name, slowdown, entryUrl }) => {
    opened.push(`${name} ${entryUrl} ${slowdown}`);
    open += 1;
    return {
      async measure(mode) {
        measuring += 1;
        expect(measuring).toBe(1);
        await Promise.resolve();
        measuring -= 1;
        asked.push(`${mode} ${name}`);
        const side = name as "base" | "head";
        // A little different in each run, or there is no variance.
        const endToEndNanoseconds = 1e6 * factors[side] * (1 + (asked.length % 7) / 1e4);
        now += 1e6;
        return {
          endToEndNanoseconds,
          firstTokenNanoseconds: mode === "generate" ? null : 1e5 * (1 + (asked.length % 5) / 1e4),
          idsHash: ids[side],
        };
      },
      async close() {
        open -= 1;
      },
    };
  };
  const options: GateOptions = {
    entryUrls: { base: "file:///base", head: "file:///head" },
    work,
    size: { pairs: 8, blocks: 4 },
    threshold: 0.05,
    seed: 3,
    clock,
    openSide,
  };
  const run = async (other: Partial<GateOptions> = {}) => await runGate({ ...options, ...other });
  return { run, options, asked, opened, stillOpen: () => open };
}

describe("a gate", () => {
  it("judges time per token of each mode and time to first token of the streams", async () => {
    const { run, stillOpen } = bench({ base: 1, head: 1.2 });
    const { verdict, metrics, interrupted, outputsDiffer } = await run();
    expect(verdict).toBe("regression");
    expect(metrics.map(({ metric }) => metric)).toEqual(gateMetrics.map(({ name }) => name));
    for (const { metric, verdict: own, change, blocks } of metrics) {
      const slower = metric.endsWith("per token");
      expect(own).toBe(slower ? "regression" : "none");
      expect(change?.hodgesLehmann.value).toBeCloseTo(slower ? 0.2 : 0, 2);
      expect(blocks).toBe(32);
    }
    expect(metrics[0]?.baseMicroseconds).toBeCloseTo(1000 / work.tokens, 1);
    expect({ interrupted, outputsDiffer }).toEqual({ interrupted: false, outputsDiffer: false });
    expect(stillOpen()).toBe(0);
  });

  it("clears what is the same", async () => {
    expect((await bench({ base: 1, head: 1 }).run()).verdict).toBe("none");
  });

  it("has either version first as often, in each mode and pair of processes", async () => {
    const { run, asked, opened } = bench({ base: 1, head: 1 });
    await run();
    // Two blocks of warm-up and four that are kept, for each of eight pairs.
    const runsOfPair = 6 * gateModes.length * gateSides.length;
    expect(asked).toHaveLength(8 * runsOfPair);
    for (let pair = 0; pair < 8; pair += 1) {
      const kept = asked.slice(pair * runsOfPair + 2 * 6, (pair + 1) * runsOfPair);
      for (const mode of gateModes) {
        const sides = kept
          .filter((each) => each.startsWith(`${mode} `))
          .map((each) => each.split(" ")[1]);
        const firsts = sides.filter((_, index) => index % 2 === 0);
        expect(firsts.filter((side) => side === "base")).toHaveLength(2);
        // Neighbours: each pair of runs has one of each.
        for (let at = 0; at < sides.length; at += 2) expect(sides[at]).not.toBe(sides[at + 1]);
      }
    }
    const firstOpened = opened
      .filter((_, index) => index % 2 === 0)
      .map((each) => each.split(" ")[0]);
    expect(firstOpened.filter((side) => side === "base")).toHaveLength(4);
  });

  it("draws the same orders from the same seed, and others from another", async () => {
    const orders = await Promise.all(
      [3, 3, 4].map(async (seed) => {
        const { run, asked } = bench({ base: 1, head: 1 });
        await run({ seed });
        return asked.join();
      }),
    );
    expect(orders[0]).toBe(orders[1]);
    expect(orders[0]).not.toBe(orders[2]);
  });

  it("slows head only, and gives each version its own runtime", async () => {
    const { run, opened } = bench({ base: 1, head: 1 });
    await run({ slowdown: 0.1 });
    expect(new Set(opened)).toEqual(new Set(["base file:///base 0", "head file:///head 0.1"]));
  });

  it("takes fewer blocks with a time budget, an even number and at least two", async () => {
    const { run } = bench({ base: 1, head: 1 });
    // A block takes 6 ms: in one millisecond none is over.
    const { metrics } = await run({ timeBudgetSeconds: 0.001, size: { pairs: 8, blocks: 40 } });
    expect(metrics[0]?.logRatios.map(({ length }) => length)).toEqual(Array(8).fill(2));
    const more = await bench({ base: 1, head: 1 }).run({
      timeBudgetSeconds: 0.5,
      size: { pairs: 8, blocks: 40 },
    });
    for (const { length } of more.metrics[0]!.logRatios) {
      expect(length % 2).toBe(0);
      expect(length).toBeLessThan(40);
      expect(length).toBeGreaterThan(2);
    }
  });

  it("says that versions make different tokens", async () => {
    const { run } = bench({ base: 1, head: 1 }, { base: "a", head: "b" });
    expect((await run()).outputsDiffer).toBe(true);
  });

  it("ends at an abort, says so, and leaves no process", async () => {
    const { run, stillOpen } = bench({ base: 1, head: 1 });
    const controller = new AbortController();
    const outcome = await run({
      signal: controller.signal,
      onProgress: ({ fractionDone }) => {
        if (fractionDone > 0.3) controller.abort();
      },
    });
    expect(outcome).toMatchObject({ interrupted: true, pairs: 3 });
    expect(stillOpen()).toBe(0);
  });

  it("leaves no process where one of them fails", async () => {
    const { run, stillOpen } = bench({ base: 1, head: 1 });
    const first = bench({ base: 1, head: 1 });
    const broken = run({
      openSide: async (options) => {
        if (options.name === "head") throw new Error("head does not start");
        return {
          measure: () => Promise.reject(new Error("not reached")),
          close: () => first.run().then(() => undefined),
        };
      },
    });
    await expect(broken).rejects.toThrow("head does not start");
    // Closing the base ran something, so it was closed.
    expect(first.asked.length).toBeGreaterThan(0);
    expect(stillOpen()).toBe(0);
  });
});

describe("a self-test", () => {
  it("gates the same with slowdowns in turns, each with a seed of its own", async () => {
    const { options, opened } = bench({ base: 1, head: 1 });
    const seen: number[] = [];
    const progress: number[] = [];
    const outcomes = await runSelfTest(
      { ...options, onProgress: ({ fractionDone }) => progress.push(fractionDone) },
      { runs: 2, onOutcome: async ({ length }) => void seen.push(length) },
    );
    expect(outcomes.map(({ slowdown }) => slowdown)).toEqual([0, 0.05, 0.1, 0, 0.05, 0.1]);
    expect(new Set(outcomes.map(({ seed }) => seed)).size).toBe(6);
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(progress.at(-1)).toBe(1);
    expect(new Set(opened.filter((each) => each.startsWith("base")))).toEqual(
      new Set(["base file:///base 0"]),
    );
  });

  it("ends at an abort, without the gate that was under way", async () => {
    const { options, stillOpen } = bench({ base: 1, head: 1 });
    const controller = new AbortController();
    const outcomes = await runSelfTest(
      {
        ...options,
        signal: controller.signal,
        onProgress: ({ fractionDone }) => fractionDone > 0.25 && controller.abort(),
      },
      { runs: 2 },
    );
    expect(outcomes).toHaveLength(1);
    expect(stillOpen()).toBe(0);
  });
});
