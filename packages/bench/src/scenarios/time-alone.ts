import { median } from "../statistics/index.js";
import type { Treatment } from "../record/index.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import type { Work } from "../measure/measured-run.js";
import type { MeasurementContext } from "../plan/stage.js";
import { takeTokens } from "./take-tokens.js";

/** Generations whose median is taken; an odd number makes it one that was seen. */
const measuredGenerations = 5;

/** Generations that {@link timeAlone} makes: one to warm up, and the measured ones. */
export const aloneGenerations: number = 1 + measuredGenerations;

/**
 * Median of call made → result settled, in nanoseconds, of generations one after
 * the other; undefined when it was aborted.
 */
export async function timeAlone(
  generator: ScenarioGenerator,
  treatment: Treatment,
  work: Work,
  { clock, signal }: Pick<MeasurementContext, "clock" | "signal">,
): Promise<number | undefined> {
  const durations: number[] = [];
  for (let generation = 0; generation < aloneGenerations; generation += 1) {
    if (signal?.aborted === true) return undefined;
    const calledNanoseconds = clock.nowNanoseconds();
    await takeTokens(generator, treatment, work, () => undefined);
    durations.push(clock.nowNanoseconds() - calledNanoseconds);
  }
  return median(durations.slice(1));
}
