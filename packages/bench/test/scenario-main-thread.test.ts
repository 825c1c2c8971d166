import { expect, it } from "vitest";
import { mainThreadMeasurement } from "../src/scenarios/main-thread.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";

it("mainThreadMeasurement generates what it is asked for, and nothing once it is aborted", async () => {
  const clock = new ManualClock();
  const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 1e6 });
  const measurement = mainThreadMeasurement({ treatment: "stream", tokens: 20, generations: 2 });
  expect(await measurement.measure(generator, measurementContext({ clock }))).toMatchObject({
    mainThread: [{ generator: "fake", treatment: "stream", tokens: 20, durationNanoseconds: 40e6 }],
  });
  const aborted = measurementContext({ clock, signal: AbortSignal.abort() });
  expect(await measurement.measure(generator, aborted)).toEqual({});
});
