import { describe, expect, it } from "vitest";
import { oddities } from "../../core/test/oddities.js";
import { drawFromState } from "../src/statistics/draw.js";
import type { Block } from "../src/record/index.js";
import { compareTails, resamplingState } from "../src/conclude/tails.js";
import { runOf } from "./example-run.js";

/** Streams are as fast as generate, but for every tenth, which takes twice as long. */
function blocksOf(count: number): Block[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    process: index % 2,
    runs: [
      runOf("generate", 1000 + (index % 7)),
      runOf("control", 1000 + ((index + 3) % 7)),
      runOf("stream", (1000 + (index % 7)) * (index % 10 === 0 ? 2 : 1)),
      runOf("streamAsync", 1000 + ((index + 5) % 7)),
    ],
  }));
}

describe("compareTails", () => {
  it("sees the slow runs that a median does not", () => {
    const [control, stream, streamAsync] = compareTails(blocksOf(100));
    expect(control).toMatchObject({ treatment: "control", percent: 95 });
    expect(control?.overhead.value).toBeCloseTo(0, 2);
    expect(stream?.overhead.value).toBeCloseTo(1, 1);
    expect(stream?.overhead.interval95.lower).toBeLessThan(stream?.overhead.value ?? 0);
    expect(streamAsync?.overhead.value).toBeCloseTo(0, 2);
  });

  it("gives the same intervals for the same blocks", () => {
    expect(compareTails(blocksOf(40))).toEqual(compareTails(blocksOf(40)));
  });

  it("draws resamples evenly, though the state they are drawn from is that of older records", () => {
    const draw = drawFromState(resamplingState);
    const drawn = () => [draw.integer(0, 39)];
    expect(oddities(drawn, { places: 40, seeds: 2000 * 40 })).toEqual([]);
  });

  it("says nothing of fewer blocks than the percentile needs", () => {
    expect(compareTails(blocksOf(19))).toEqual([]);
  });
});
