export { comparisonOf, distributionOf, hasSeveralProcesses } from "./comparisons.js";
export { inUnitOf } from "./controls.js";
export { engine, engineRatio, type EngineRatio } from "./engine.js";
export { engineVerdicts } from "./engine-verdicts.js";
export { firstAndNextToken, latencies } from "./latencies.js";
export { machineClasses, type ClassRecord } from "./machine-classes.js";
export { memory } from "./memory.js";
export { overheads } from "./overheads.js";
export { parts, type Part, type PartName, type PartPage } from "./parts.js";
export { stageNames } from "./profile-stages.js";
export { profiles } from "./profiles.js";
export { stacks } from "./stacks.js";
export {
  modeNames,
  notesIn,
  shownIn,
  type Column,
  type Note,
  type Place,
  type Row,
  type Sentence,
  type Table,
} from "./table.js";
export { printable, printableJson } from "@streamgauge/core";
export { tokenTimes } from "./token-times.js";
export { transports } from "./transports.js";
export type { Interval, Quantity, Value } from "./value.js";
export { verdicts } from "./verdicts.js";
