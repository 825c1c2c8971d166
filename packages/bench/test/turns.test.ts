import { describe, expect, it } from "vitest";
import type { RawBlock } from "../src/measure/raw-samples.js";
import { createFakeGenerator, ManualClock, type FakeOptions } from "./fake-generator.js";
import { measureCell } from "./measured-cell.js";
import { cellPlan } from "./plans.js";

const tokens = 400;
const inTurns = cellPlan({ tokens, sliceTokens: 100, blocks: 8 });
const oneByOne = cellPlan({ tokens, blocks: 8 });

function options(clock: ManualClock) {
  const config = { maxTokens: tokens, ignoreEos: true, temperature: 0, seed: 1 };
  return { clock, seed: 5, work: { prompt: [1], config } } as const;
}

/** A generator whose generations can be held. */
function gated(
  clock: ManualClock,
  fake: Partial<FakeOptions> = {},
): ReturnType<typeof createFakeGenerator> {
  return createFakeGenerator({
    clock,
    tokenNanoseconds: () => 100_000,
    gated: true,
    ...fake,
  });
}

describe("runs that take turns", () => {
  it("see the same machine: a drift costs little where it would hide the overhead", async () => {
    const largestError = async (plan: typeof inTurns): Promise<number> => {
      const clock = new ManualClock();
      const cost = { generate: 1, stream: 1.03, streamAsync: 1.08 };
      const generator = gated(clock, {
        // The speed swings by a third, once in seven runs.
        tokenNanoseconds: (mode) =>
          100_000 * cost[mode] * (1 + Math.sin(clock.nowNanoseconds() / (7 * 400 * 16_000)) / 3),
      });
      const { blocks } = await measureCell(generator, plan, options(clock));
      const errors = blocks.flatMap(({ runs }) => {
        const timeOf = (name: string): number =>
          runs.find(({ treatment }) => treatment === name)?.endToEndNanoseconds ?? Number.NaN;
        const base = timeOf("generate");
        return [
          timeOf("control") / base - 1,
          timeOf("stream") / base / cost.stream - 1,
          timeOf("streamAsync") / base / cost.streamAsync - 1,
        ];
      });
      return Math.max(...errors.map(Math.abs));
    };
    const errorOneByOne = await largestError(oneByOne);
    expect(errorOneByOne).toBeGreaterThan(0.3);
    expect(await largestError(inTurns)).toBeLessThan(errorOneByOne / 3);
  });

  it("have times without the turns of the others", async () => {
    const clock = new ManualClock();
    const raw: RawBlock[] = [];
    const { blocks, distributions } = await measureCell(gated(clock), inTurns, {
      ...options(clock),
      onBlock: (block) => void raw.push(block),
    });
    expect(blocks).toHaveLength(8);
    for (const run of blocks.flatMap(({ runs }) => runs)) {
      expect(run.endToEndNanoseconds).toBe(tokens * 100_000);
    }
    for (const { treatment, deliveredNanoseconds, producedNanoseconds } of raw[0]?.runs ?? []) {
      const times = treatment.startsWith("stream")
        ? Array.from({ length: tokens }, (_, index) => (index + 1) * 100_000)
        : [];
      expect([...deliveredNanoseconds]).toEqual(times);
      expect([...producedNanoseconds]).toEqual(times);
    }
    const latencies = distributions.filter(({ metric }) => metric === "deliveryLatency");
    expect(latencies.map(({ maximumNanoseconds }) => maximumNanoseconds)).toEqual([0, 0]);
  });

  it("run alone in the warm-up, which makes no more tokens than a turn", async () => {
    const clock = new ManualClock();
    const { warmUp, status } = await measureCell(gated(clock), inTurns, options(clock));
    expect({ warmUp, status }).toEqual({
      warmUp: { blocksDropped: 5, steady: true },
      status: "complete",
    });
  });

  it("fail where their generator cannot be held, with the remedy", async () => {
    const clock = new ManualClock();
    const generator = gated(clock, { gated: false });
    const { status, failure } = await measureCell(generator, inTurns, options(clock));
    expect(status).toBe("failed");
    expect(failure?.code).toBe("INVALID_OPTION");
    expect(failure?.message).toMatch(/cannot be held .* or leave sliceTokens out/);
  });

  it("all end where one fails", async () => {
    const clock = new ManualClock();
    const ended = new Set<string>();
    const generator = gated(clock, {
      onToken(mode, index) {
        if (mode === "stream" && index === 150) throw new Error("The engine is on fire.");
        if (index === tokens - 1) ended.add(mode);
      },
    });
    const { status, failure } = await measureCell(generator, inTurns, options(clock));
    expect(status).toBe("failed");
    expect(failure?.message).toMatch(/on fire/);
    expect(ended).toEqual(new Set(["generate", "streamAsync"]));
  });

  it("fail where one makes other ids than the others", async () => {
    const clock = new ManualClock();
    const generator = gated(clock, {
      idAt: (mode, index) => (mode === "streamAsync" && index === 399 ? 7 : index),
    });
    const { failure } = await measureCell(generator, inTurns, options(clock));
    expect(failure?.message).toMatch(/streamAsync made other tokens .* at index 399/);
  });

  it("end between two turns when they are interrupted, and leave no generation behind", async () => {
    const clock = new ManualClock();
    const stopping = new AbortController();
    let ended = 0;
    const generator = gated(clock, {
      onToken(_mode, index) {
        if (index === 250) stopping.abort();
        if (index === tokens - 1) ended += 1;
      },
    });
    const { status, blocks } = await measureCell(generator, inTurns, {
      ...options(clock),
      signal: stopping.signal,
    });
    expect(status).toBe("interrupted");
    expect(blocks).toHaveLength(0);
    expect(ended).toBe(4);
  });
});
