import type { ResultRecord } from "../record/index.js";
import { calibration } from "./calibration.js";
import { controls } from "./controls.js";
import { costs } from "./costs.js";
import { endpoints } from "./endpoints.js";
import { engine } from "./engine.js";
import { latencies } from "./latencies.js";
import { loads } from "./loads.js";
import { machines } from "./machines.js";
import { memory } from "./memory.js";
import { profiles } from "./profiles.js";
import { stacks } from "./stacks.js";
import type { Table } from "./table.js";
import { tails } from "./tails.js";
import { tokenTimes } from "./token-times.js";
import { transports } from "./transports.js";
import { cpu, throughput } from "./treatments.js";
import { verdicts } from "./verdicts.js";

/** What a record says, one part after the other. */
export type PartName =
  | "tokenTimes"
  | "verdicts"
  | "controls"
  | "machines"
  | "costs"
  | "endpoints"
  | "tails"
  | "throughput"
  | "calibration"
  | "latencies"
  | "loads"
  | "transports"
  | "stacks"
  | "engine"
  | "cpu"
  | "memory"
  | "profiles";

/** The pages on which a document has these parts. */
export type PartPage =
  | "verdicts"
  | "costs"
  | "latencies"
  | "loads"
  | "transports"
  | "stacks"
  | "engine"
  | "profiles";

/** Tables of one subject. */
export interface Part {
  readonly page: PartPage;
  /** Where a terminal leaves it out. */
  readonly only?: "document";
  /** A terminal leaves a line free between groups, and none between the tables of one. */
  readonly groups: (record: ResultRecord) => readonly (readonly Table[])[];
}

/** All tables of a record, in reading order. */
export const parts: Readonly<Record<PartName, Part>> = {
  tokenTimes: { page: "costs", groups: one(tokenTimes) },
  verdicts: { page: "verdicts", groups: (record) => [verdicts(record)] },
  controls: { page: "verdicts", groups: one(controls), only: "document" },
  machines: { page: "verdicts", groups: one(machines) },
  costs: { page: "costs", groups: one(costs) },
  endpoints: { page: "costs", groups: one(endpoints) },
  tails: { page: "costs", groups: one(tails) },
  throughput: { page: "costs", groups: one(throughput), only: "document" },
  calibration: { page: "verdicts", groups: one(calibration) },
  latencies: { page: "latencies", groups: each(latencies), only: "document" },
  loads: { page: "loads", groups: each(loads) },
  transports: { page: "transports", groups: each(transports) },
  stacks: { page: "stacks", groups: each(stacks) },
  engine: { page: "engine", groups: each(engine) },
  cpu: { page: "profiles", groups: one(cpu), only: "document" },
  memory: { page: "profiles", groups: one(memory) },
  profiles: { page: "profiles", groups: profiles },
};

function one(table: (record: ResultRecord) => Table): Part["groups"] {
  return (record) => [[table(record)]];
}

function each(tables: (record: ResultRecord) => readonly Table[]): Part["groups"] {
  return (record) => tables(record).map((table) => [table]);
}
