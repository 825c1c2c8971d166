import { describe, expect, it } from "vitest";
import { oddities, placeOf } from "../../core/test/oddities.js";
import { blockOrders } from "../src/measure/block-order.js";
import { createDraw } from "../src/statistics/draw.js";
import { planDrill } from "../src/endurance/drill-plan.js";
import { mix, StressTokens } from "../src/endurance/stress-tokens.js";
import { drawPrompt } from "../src/scenarios/engine/engine-model.js";
import { poissonArrivals } from "../src/scenarios/poisson-arrivals.js";
import { percentileRatio } from "../src/statistics/index.js";

describe("over the seeds from 0 to 9,999", () => {
  it("draws are even", () => {
    const places = 2 ** 16;
    const fractions = (seed: number): number[] => {
      const draw = createDraw(seed);
      return [0, 1, 2].map(() => placeOf(draw.fraction(), places));
    };
    const integers = (seed: number): number[] => {
      const draw = createDraw(seed);
      return [0, 1, 2].map(() => draw.integer(0, 999));
    };
    const picked = (seed: number): number[] => {
      const draw = createDraw(seed);
      return [draw.pick([0, 1, 2]), draw.pick([2, 1, 0])];
    };
    const chances = (seed: number): number[] => {
      const draw = createDraw(seed);
      return [0, 1].map(() => (draw.chance(0.3) ? 0 : 1));
    };
    expect(oddities(fractions, { places })).toEqual([]);
    expect(oddities(integers, { places: 1000 })).toEqual([]);
    expect(oddities(picked, { places: 3 })).toEqual([]);
    expect(
      oddities(chances, { places: 2, cumulative: (place) => (place === 0 ? 0.3 : 1) }),
    ).toEqual([]);
    // What comes first says where the others can be: a draw each.
    for (const at of [0, 4, 9]) {
      const shuffled = (seed: number): number[] => [
        createDraw(seed).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])[at]!,
      ];
      expect(oddities(shuffled, { places: 10 })).toEqual([]);
    }
  });

  it("orders of blocks are", () => {
    const rows = [0, 1, 2, 3, 4, 5, 6, 7];
    // Of two squares: within one the rows that have been are left out.
    const firsts = (seed: number): number[] => {
      const orders = blockOrders(rows, seed);
      const blocks = Array.from({ length: rows.length + 1 }, () => orders.next().value[0]!);
      return [blocks[0]!, blocks[rows.length]!];
    };
    expect(oddities(firsts, { places: rows.length })).toEqual([]);
  });

  it("prompts are", () => {
    const places = 49_152;
    expect(oddities((seed) => drawPrompt(seed, 3, places), { places })).toEqual([]);
  });

  it("gaps between arrivals are exponential", () => {
    const places = 2 ** 16;
    const gaps = (seed: number): number[] => {
      const arrivals = poissonArrivals(seed, 1);
      const first = arrivals.next().value / 1e9;
      const second = arrivals.next().value / 1e9 - first;
      return [first, second].map((gap) => placeOf(1 - Math.exp(-gap), places));
    };
    expect(oddities(gaps, { places })).toEqual([]);
  });

  it("resamples are: the largest of six that are drawn out of six", () => {
    const blocks = [1, 2, 3, 4, 5, 6].map((value) => ({ baseline: [1], treated: [value] }));
    const largest = (seed: number): number[] => {
      const options = { percent: 100, draw: createDraw(seed), resamples: 1 };
      return [percentileRatio([blocks], options).interval95.lower - 1];
    };
    const cumulative = (place: number): number => ((place + 1) / 6) ** 6;
    expect(oddities(largest, { places: 6, cumulative })).toEqual([]);
  });

  it("plans of drills are", () => {
    const plan = (seed: number): number[] => {
      const streams = planDrill("some", {
        seed,
        streams: 2,
        faults: 0,
        kinds: ["exit"],
        readers: ["loop"],
        prompts: (draw) => [draw.integer(0, 999)],
        mostTokens: 50,
        longestWaitMilliseconds: 100,
        endless: 1000,
        mostUnread: 8,
      });
      return streams.map(({ prompt }) => Number((prompt as readonly number[])[0]));
    };
    expect(oddities(plan, { places: 1000 })).toEqual([]);
  });

  it("tokens of a stress are", () => {
    const ids = (seed: number): number[] => [0, 1, 2].map((index) => mix(index, seed) >>> 16);
    expect(oddities(ids, { places: 2 ** 16 })).toEqual([]);
    // A seed's first draw is the length of the first text, from 0 to 70 units.
    const firstLength = (seed: number): number[] => {
      let index = 0;
      while (((mix(index, seed) >>> 8) & 1023) !== 0) index += 1;
      return [new StressTokens(seed).at(index).text.length];
    };
    expect(oddities(firstLength, { places: 71, seeds: 500 })).toEqual([]);
  });
});
