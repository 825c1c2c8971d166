import type { Work } from "./measured-run.js";
import type { MeasuredMode, Treatment } from "../record/index.js";
import type { GeneratorPlan } from "../plan/generator-plan.js";
import type { MeasurementContext } from "../plan/stage.js";

/** What each factory of a measurement takes beside what it measures. */
export interface MeasurementOptions {
  /** For the progress display. Default: made of the other options; not unique across generators. */
  readonly id?: string;
  /** A guess, for the time left. Default: that of the embedded model, about a millisecond. */
  readonly expectedSecondsPerToken?: number;
}

/** Seconds per token of the embedded model on a laptop. */
export const defaultSecondsPerToken: number = 1 / 900;

/** What each run of a measurement is asked for: greedy, and past the end of the text. */
export function workOf({ prompt, seed }: MeasurementContext, tokens: number): Work {
  return { prompt, config: { maxTokens: tokens, ignoreEos: true, temperature: 0, seed } };
}

/** The fields that every measurement of a mode begins with. */
export function modeOf(plan: GeneratorPlan, treatment: Treatment, tokens: number): MeasuredMode {
  return { generator: plan.id, model: plan.model, host: plan.host, treatment, tokens };
}
