import { describe, expect, it } from "vitest";
import type { GeneratorPlan, ScenarioGenerator } from "../src/plan/generator-plan.js";
import { openGenerator } from "../src/scenarios/open-generator.js";
import { mostWaiting, slowConsumerMeasurement } from "../src/scenarios/slow-consumer.js";
import type { StreamTreatment } from "../src/scenarios/take-tokens.js";
import { measurementContext } from "./measurement-context.js";

describe("mostWaiting", () => {
  const times = (produced: number[], delivered: number[]) => ({
    producedNanoseconds: Float64Array.from(produced),
    deliveredNanoseconds: Float64Array.from(delivered),
  });

  it("counts what was made and not yet delivered, the one that is being delivered included", () => {
    expect(mostWaiting(times([1, 2, 3], [1, 2, 3]))).toBe(1);
    expect(mostWaiting(times([1, 2, 3, 4], [5, 6, 7, 8]))).toBe(4);
    expect(mostWaiting(times([1, 5, 6, 7], [2, 6, 8, 9]))).toBe(2);
    expect(mostWaiting(times([], []))).toBe(0);
  });
});

describe("slowConsumerMeasurement", () => {
  const tokens = 120;
  const capacity = 8;

  it.each<[StreamTreatment, string]>([
    ["stream", "pooled"],
    ["streamAsync", "pooled"],
    ["stream", "inline"],
  ])("%s, %s: the ring bounds what waits, and nothing is lost", async (treatment, host) => {
    const plan: GeneratorPlan = {
      id: "paced",
      engine: "paced",
      model: "paced",
      host,
      ...(host === "pooled" ? { ring: { capacity } } : {}),
    };
    const generator = await openGenerator(plan);
    try {
      const measurement = slowConsumerMeasurement({
        treatment,
        tokens,
        consumerMicrosecondsPerToken: 100,
      });
      const { slowConsumers } = await measurement.measure(generator, measurementContext({ plan }));
      const [measured] = slowConsumers ?? [];
      if (measured === undefined) return expect.fail("There is no measurement.");
      expect(measured).toMatchObject({
        treatment,
        host,
        tokens,
        consumerMicrosecondsPerToken: 100,
      });
      expect(measured.ringCapacity).toBe(host === "pooled" ? capacity : null);
      expect(measured.mostTokensWaiting).toBeGreaterThanOrEqual(1);
      expect(measured.mostTokensWaiting).toBeLessThanOrEqual(
        host === "pooled" ? capacity + 2 : tokens,
      );
      expect(measured.deliveryLatency?.count).toBe(tokens);
      // The consumer takes at least what is asked of it, and the rest comes on top.
      expect(measured.slowdown).toBeGreaterThanOrEqual(1);
      expect(measured.durationNanoseconds).toBeGreaterThanOrEqual(tokens * 100_000);
      expect(measured.residentGrowthBytes).toBeGreaterThanOrEqual(0);
    } finally {
      await generator.close();
    }
  });

  it("fails when a token is lost", async () => {
    const plan: GeneratorPlan = { id: "paced", engine: "paced", model: "paced", host: "inline" };
    const generator = await openGenerator(plan);
    const lossy: ScenarioGenerator = {
      ...generator,
      generateStream: (prompt, onToken, config) =>
        generator.generateStream(
          prompt,
          (token) => (token.index === 50 ? undefined : onToken(token)),
          config,
        ),
    };
    const measurement = slowConsumerMeasurement({
      treatment: "stream",
      tokens,
      consumerMicrosecondsPerToken: 1,
    });
    await expect(measurement.measure(lossy, measurementContext({ plan }))).rejects.toMatchObject({
      code: "OUTPUT_MISMATCH",
      message: expect.stringContaining("119 of 120 tokens") as string,
    });
    await generator.close();
  });
});
