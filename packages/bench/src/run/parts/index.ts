/**
 * A run whose processes are measured on other machines: what they are asked for, what they say, and how
 * it comes into the record. Exported as `@streamgauge/bench/parts`; `@streamgauge/fleet` carries it.
 *
 * @module
 */
import { embeddedModelName } from "../../plan/prompts.js";
import { isModelSize } from "../../plan/random-model.js";

export { watchEnvironment, type EnvironmentWatch } from "../environment.js";
export { waitUntilQuiet } from "../busyness.js";
export { measureInstrument } from "../instrument.js";
export { runProcess, type ProcessListener } from "../process/run-process.js";
export type { Environment, Instrument } from "../../record/index.js";
export { requireWhatCrossesMachines } from "../bench-options.js";
export { defaultOutputFolder } from "../record-file.js";
export type { Elsewhere, PartOrder, PartsProgress } from "./elsewhere.js";
export type {
  BenchOnFleet,
  ClassOutcome,
  FleetOutcome,
  FleetProgress,
  FleetTarget,
} from "./fleet-contract.js";
export { isEnvironment, isInstrument } from "./machine-checks.js";
export { PartRecorder, type KeepFile } from "./part-recorder.js";
export type {
  PartDocument,
  PartEntry,
  PartIdentity,
  PartMachine,
  RecordedPart,
} from "./recorded-part.js";

/** Whether every machine has a model of this name, without a folder of its own. */
export function isBuiltInModel(name: string): boolean {
  return name === embeddedModelName || isModelSize(name);
}
