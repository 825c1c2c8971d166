import { decodeFromCompressedBase64 } from "hdr-histogram-js";
import { describe, expect, it } from "vitest";
import type { RawBlock } from "../src/measure/raw-samples.js";
import { createFakeGenerator, ManualClock, type Mode } from "./fake-generator.js";
import { measureCell } from "./measured-cell.js";
import { cellPlan } from "./plans.js";

const work = { prompt: [1], config: { maxTokens: 10, ignoreEos: true, temperature: 0, seed: 1 } };

/** Each treatment once, and the run before them that settles the machine. */
const callsPerBlock = 5;

function options(clock: ManualClock) {
  return { clock, seed: 5, work } as const;
}

describe("runCell", () => {
  it("recovers an injected overhead exactly, whatever drifts", async () => {
    const clock = new ManualClock();
    const cost = { generate: 1, stream: 1.03, streamAsync: 1.08 };
    const generator = createFakeGenerator({
      clock,
      // The machine slows to half its speed, block by block.
      tokenNanoseconds: (mode, call) =>
        100_000 * cost[mode] * (1 + Math.floor((call - 1) / callsPerBlock) / 16),
    });
    const cell = await measureCell(generator, cellPlan({ blocks: 16 }), options(clock));
    expect(cell).toMatchObject({ status: "complete", promptTokens: 8, failure: null });
    const [control, stream, streamAsync] = cell.analysis?.comparisons ?? [];
    expect(control?.overhead.hodgesLehmann.value).toBeCloseTo(0, 9);
    expect(stream?.overhead.hodgesLehmann.value).toBeCloseTo(0.03, 9);
    expect(stream?.overhead.mean.interval95.upper).toBeCloseTo(0.03, 9);
    expect(streamAsync?.overhead.mean.value).toBeCloseTo(0.08, 9);
    expect(stream?.blocks).toBe(16);
  });

  it("gives the cost per token in microseconds", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({
      clock,
      tokenNanoseconds: (mode) => (mode === "stream" ? 107_000 : 100_000),
    });
    const { analysis } = await measureCell(generator, cellPlan(), options(clock));
    expect(analysis?.comparisons[1]?.costMicrosecondsPerToken.hodgesLehmann.value).toBeCloseTo(
      7,
      9,
    );
    expect(analysis?.treatments[0]?.throughputTokensPerSecond).toBeCloseTo(10_000, 6);
  });

  it("interleaves: each block runs every treatment once, in balanced orders", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 1000 });
    const { blocks } = await measureCell(generator, cellPlan({ blocks: 8 }), options(clock));
    expect(blocks).toHaveLength(8);
    for (const square of [blocks.slice(0, 4), blocks.slice(4)]) {
      for (const position of [0, 1, 2, 3]) {
        const column = square.map(({ runs }) => runs[position]?.treatment);
        expect(new Set(column).size).toBe(4);
      }
    }
  });

  it("measures tokens where they arrive", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 100_000 });
    const { blocks, distributions } = await measureCell(generator, cellPlan(), options(clock));
    const stream = blocks[0]?.runs.find(({ treatment }) => treatment === "stream");
    expect(stream).toMatchObject({
      timeToFirstTokenNanoseconds: 100_000,
      timePerOutputTokenNanoseconds: 100_000,
      endToEndNanoseconds: 1_000_000,
    });
    const gaps = distributions.find(
      ({ treatment, metric }) => treatment === "stream" && metric === "interTokenLatency",
    );
    expect(gaps?.count).toBe(8 * 9);
    expect(Math.abs((gaps?.p50Nanoseconds ?? 0) - 100_000)).toBeLessThanOrEqual(100);
    const delivery = distributions.find(({ metric }) => metric === "deliveryLatency");
    expect(delivery?.maximumNanoseconds).toBe(0);
    const decoded = decodeFromCompressedBase64(gaps?.histogram ?? "");
    expect(decoded.totalCount).toBe(gaps?.count);
    expect(distributions.map(({ treatment }) => treatment)).not.toContain("generate");
  });

  it("drops blocks until their times stop trending", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({
      clock,
      // Seven blocks get faster; then it is warm.
      tokenNanoseconds: (_mode, call) =>
        1000 * Math.max(1, 8 - Math.floor((call - 1) / callsPerBlock)),
    });
    const { warmUp } = await measureCell(generator, cellPlan(), options(clock));
    expect(warmUp.steady).toBe(true);
    expect(warmUp.blocksDropped).toBeGreaterThan(8);
  });

  it("says so when it never becomes steady", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({ clock, tokenNanoseconds: (_mode, call) => call });
    const { warmUp, status } = await measureCell(generator, cellPlan(), options(clock));
    expect({ warmUp, status }).toEqual({
      warmUp: { blocksDropped: 20, steady: false },
      status: "complete",
    });
  });

  it("ends at the time budget, but not before there is an interval", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 1e9 });
    const plan = cellPlan({ blocks: 50, timeBudgetSeconds: 400 });
    expect((await measureCell(generator, plan, options(clock))).blocks).toHaveLength(9);
    const hurry = cellPlan({ blocks: 50, timeBudgetSeconds: 1 });
    expect((await measureCell(generator, hurry, options(clock))).blocks).toHaveLength(6);
  });

  it.each(["stream", "streamAsync"] as const)("fails when %s makes other ids", async (wrong) => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({
      clock,
      tokenNanoseconds: () => 1000,
      idAt: (mode: Mode, index) => (mode === wrong && index === 7 ? 42 : index),
    });
    const cell = await measureCell(generator, cellPlan(), options(clock));
    expect(cell).toMatchObject({ status: "failed", failure: { code: "OUTPUT_MISMATCH" } });
    expect(cell.failure?.message).toMatch(/index 7/);
    expect(cell.failure?.message).toContain(wrong);
  });

  it("fails when a run makes too few tokens", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 1000 });
    const cell = await measureCell(generator, cellPlan({ tokens: 11 }), options(clock));
    expect(cell.failure?.message).toMatch(/made 10 of 11 tokens/);
  });

  it("keeps whole blocks when it is interrupted", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const generator = createFakeGenerator({
      clock,
      tokenNanoseconds: () => 1000,
      onCall: (_mode, call) => {
        if (call === (5 + 7) * callsPerBlock + 3) controller.abort();
      },
    });
    const saved: RawBlock[] = [];
    let dropped = 0;
    const cell = await measureCell(generator, cellPlan({ blocks: 40 }), {
      ...options(clock),
      signal: controller.signal,
      onWarmUp: (blocks) => void (dropped = blocks),
      onBlock: (block) => void saved.push(block),
    });
    expect(cell.status).toBe("interrupted");
    expect(cell.blocks).toHaveLength(7);
    expect(cell.blocks.every(({ runs }) => runs.length === 4)).toBe(true);
    expect(cell.analysis).not.toBeNull();
    expect([dropped, saved.length]).toEqual([5, 7]);
  });
});
