import { systemClock } from "../src/plan/clock.js";
import type { MeasurementContext } from "../src/plan/stage.js";

/** What a measurement is given, for a generator that needs no plan. */
export function measurementContext(changes: Partial<MeasurementContext> = {}): MeasurementContext {
  return {
    clock: systemClock,
    seed: 1851,
    plan: { id: "fake", engine: "fake", model: "fake", host: "inline" },
    prompt: [1, 2, 3],
    signal: undefined,
    open: () => Promise.reject(new Error("This measurement opens no other generator.")),
    saveFile: () => Promise.reject(new Error("This measurement saves no file.")),
    ...changes,
  };
}
