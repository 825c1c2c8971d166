import { describe, expect, it } from "vitest";
import { oddities } from "../../core/test/oddities.js";
import type { Treatment } from "../src/record/index.js";
import { abortMeasurement } from "../src/scenarios/abort.js";
import type { GeneratorPlan, ScenarioGenerator } from "../src/plan/generator-plan.js";
import { openGenerator } from "../src/scenarios/open-generator.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";

const plan: GeneratorPlan = {
  id: "paced",
  engine: "paced",
  model: "paced",
  host: "pooled",
  stepMicroseconds: 50,
  ring: { capacity: 16 },
};

async function withGenerator<T>(
  changes: Partial<GeneratorPlan>,
  use: (generator: ScenarioGenerator, plan: GeneratorPlan) => Promise<T>,
): Promise<T> {
  const changed = { ...plan, ...changes };
  const generator = await openGenerator(changed);
  try {
    return await use(generator, changed);
  } finally {
    await generator.close();
  }
}

describe("abortMeasurement", () => {
  it.each<[Treatment, string]>([
    ["stream", "pooled"],
    ["streamAsync", "pooled"],
    ["stream", "inline"],
    ["streamAsync", "inline"],
  ])("aborts each generation of %s, %s, and counts what was made for nobody", async (...where) => {
    const [treatment, host] = where;
    const [measured] = await withGenerator({ host }, async (generator, used) => {
      const context = measurementContext({ plan: used });
      // So many tokens that the producer cannot have made them all.
      const measurement = abortMeasurement({ treatment, tokens: 400, generations: 6 });
      return (await measurement.measure(generator, context)).aborts ?? [];
    });
    if (measured === undefined) return expect.fail("There is no measurement.");
    expect(measured).toMatchObject({ treatment, host, tokens: 400, generations: 6, ranToEnd: 0 });
    expect(measured.abortLatency.count).toBe(6);
    expect(measured.wastedTokens).toBeGreaterThanOrEqual(measured.mostWastedTokens ?? Infinity);
    expect(measured.mostWastedTokens).toBeGreaterThanOrEqual(0);
    // What waits is bounded by the ring, and by the queue where there is no ring.
    expect(measured.mostWastedTokens).toBeLessThanOrEqual((host === "pooled" ? 16 : 256) + 2);
  });

  it("aborts generate() too, which returns everything that was made", async () => {
    const measured = await withGenerator({}, async (generator, used) => {
      const measurement = abortMeasurement({ treatment: "generate", tokens: 2000, generations: 3 });
      const { aborts } = await measurement.measure(generator, measurementContext({ plan: used }));
      return aborts?.[0];
    });
    expect(measured).toMatchObject({ wastedTokens: null, mostWastedTokens: null });
    expect(measured?.abortLatency.count).toBe(measured?.generations);
  });

  it("draws the tokens from the seed", async () => {
    const abortedAt = async (seed: number): Promise<number[]> => {
      const delivered: number[] = [];
      await withGenerator({ host: "inline" }, async (generator, used) => {
        const watched: ScenarioGenerator = {
          ...generator,
          generateStream: async (...call) => {
            const result = await generator.generateStream(...call);
            delivered.push(result.ids.length - 1);
            return result;
          },
        };
        const measurement = abortMeasurement({ treatment: "stream", tokens: 400, generations: 5 });
        await measurement.measure(watched, measurementContext({ plan: used, seed }));
      });
      return delivered;
    };
    const first = await abortedAt(1);
    expect(first).toHaveLength(5);
    expect(Math.max(...first)).toBeLessThan(200);
    expect(await abortedAt(1)).toEqual(first);
    expect(await abortedAt(2)).not.toEqual(first);
  });

  it("aborts at any token of the first half, whatever the seed", async () => {
    const tokens = 16;
    const measurement = abortMeasurement({ treatment: "stream", tokens, generations: 2 });
    const places: number[][] = [];
    for (let seed = 0; seed < 500; seed += 1) {
      const clock = new ManualClock();
      const fake = createFakeGenerator({ clock, tokenNanoseconds: () => 1000 });
      const delivered: number[] = [];
      const watched: ScenarioGenerator = {
        ...fake,
        generateStream: async (...call) => {
          const result = await fake.generateStream(...call);
          delivered.push(result.ids.length - 1);
          return result;
        },
      };
      await measurement.measure(watched, measurementContext({ clock, seed }));
      places.push(delivered);
    }
    const drawn = (seed: number): number[] => places[seed] ?? [];
    expect(oddities(drawn, { places: tokens / 2, seeds: places.length })).toEqual([]);
  });

  it("measures no abort of a producer that was done", async () => {
    const measurement = abortMeasurement({ treatment: "stream", tokens: 1, generations: 3 });
    const found = await withGenerator({}, (generator, used) =>
      measurement.measure(generator, measurementContext({ plan: used })),
    );
    expect(found).toEqual({});
  });

  it("returns nothing when it is aborted itself", async () => {
    const measurement = abortMeasurement({ treatment: "stream", tokens: 400, generations: 3 });
    const found = await withGenerator({}, (generator, used) =>
      measurement.measure(
        generator,
        measurementContext({ plan: used, signal: AbortSignal.abort() }),
      ),
    );
    expect(found).toEqual({});
  });
});
