import type { GenerationResult } from "@streamgauge/core";
import type { PeakMemory, ProfileFindings, Treatment } from "../record/index.js";
import type { ObservingRecorder } from "./observing-recorder.js";
import type { MeasurementContext } from "../plan/stage.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";

/** What a profile is made of. */
export type ProfileKind = ProfileFindings["kind"];

/** How tokens are taken while they are observed. */
export type ObservedTreatment = Exclude<Treatment, "control">;

/** Something that can be on while a generation runs, and that then knows more about it. */
export interface Instrument {
  /** Makes the observed generations: the measured generator, or another that was made for them. */
  readonly generator: ScenarioGenerator;
  readonly recorder: ObservingRecorder;
  /** Both outside of what is timed. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Takes the run that was made between {@link start} and {@link stop}. Not called in the warm-up. */
  keep(run: ObservedRun): void;
  /** Once, after the last run. What was made of the runs that were kept, at least one. */
  conclude(unobserved: { readonly peakMemory: PeakMemory }): Promise<Conclusion>;
  /** Gives back what is held, also after a failure. Repeating it does nothing. */
  close(): Promise<void>;
}

/** One generation with the instrument on. */
export interface ObservedRun {
  readonly endToEndNanoseconds: number;
  readonly deliveredNanoseconds: Float64Array;
  readonly producedNanoseconds: Float64Array;
  readonly result: GenerationResult;
}

/** What an instrument found. */
export interface Conclusion {
  readonly findings: ProfileFindings;
  /** As `MeasurementContext.saveFile` named them. */
  readonly files: readonly string[];
}

/** What an instrument is made for. */
export interface InstrumentSetting {
  readonly generator: ScenarioGenerator;
  readonly context: MeasurementContext;
  readonly treatment: ObservedTreatment;
  readonly tokens: number;
}

/** Names a file of one thread of one measurement. Thread names have spaces, model names slashes. */
export function profileFileName(
  { context, treatment }: InstrumentSetting,
  thread: string,
  extension: string,
): string {
  const plain = (name: string): string => name.replaceAll(/[^\w.-]+/g, "-");
  return `profiles/${plain(context.plan.id)}-${treatment}.${plain(thread)}.${extension}`;
}
