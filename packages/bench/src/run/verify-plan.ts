import { firstDifference } from "../statistics/difference.js";
import {
  identityOf,
  type Cell,
  type MeasurementPromise,
  type PlannedCell,
  type ResultRecord,
  type RunPlan,
} from "../record/index.js";
import { measurementDefinitions } from "../record/measurements.js";
import { promiseOf } from "../record/promise-of.js";
import { describeOther, findingOf, type Finding } from "./agreement.js";
import { looksOf } from "./presets.js";

/** Whether all that was planned is there, or failed by name, and nothing else. */
export function verifyPlan(record: ResultRecord): Finding {
  const { plan, status } = record;
  const { cells, measurements, added } = plan;
  if (cells === undefined || measurements === undefined || added === undefined) {
    return findingOf(
      false,
      [],
      [
        "The record was made before records named all that was planned: whether a cell or a measurement " +
          "is missing is not checked.",
      ],
    );
  }
  const missing = [
    ...cells
      .filter(({ id }) => record.cells.every((cell) => cell.id !== id))
      .map(({ id }) => `the cell ${id}`),
    ...measurements
      .filter(({ id }) => !plan.measured.includes(id))
      .map(({ id }) => `the measurement ${id}`),
  ];
  const isWhole = status === "complete";
  const problems = [
    ...(isWhole ? missing.map((what) => `It lacks ${what}, which was planned.`) : []),
    ...record.cells.flatMap((cell) => describeOtherCell(record, cell, cells)),
    ...describeOtherLooks(plan),
    ...describeOtherEntries(record, measurements, added),
    ...describeOtherPromises(record, measurements, added),
  ];
  const notes =
    isWhole || missing.length === 0
      ? []
      : [`The run is ${status}, and these are missing: ${missing.join(", ")}.`];
  return findingOf(true, problems, notes);
}

function describeOtherCell(
  record: ResultRecord,
  cell: Cell,
  planned: readonly PlannedCell[],
): string[] {
  const plan = planned.find(({ id }) => id === cell.id);
  if (plan === undefined) return [`${cell.id} is in the record, and was not planned.`];
  const other = firstDifference(identityOf(cell), identityOf(plan), cell.id, "by its plan");
  return [
    ...(other === undefined ? [] : [`${other}.`]),
    ...(record.status === "complete" && cell.status !== "failed"
      ? describeOtherProcesses(record, cell, plan)
      : []),
  ];
}

/** A cell ends at a look: at the last one, or where all that is claimed of it is decided. */
function describeOtherProcesses(
  { claims, plan: { looks } }: ResultRecord,
  { id, processes }: Cell,
  { processes: most }: PlannedCell,
): string[] {
  const ends = new Set([...looks.map((look) => Math.min(look.processes, most)), most]);
  if (!ends.has(processes.length)) {
    const planned = [...ends].join(", ");
    return [
      `${id} was measured by ${processes.length} of the processes, and looks were planned at ${planned}.`,
    ];
  }
  const open = claims.find(
    ({ cell, verdict }) => cell === id && verdict !== "upheld" && verdict !== "refuted",
  );
  return open === undefined || processes.length === most
    ? []
    : [
        `${id} ends at ${processes.length} of ${most} processes, where claim ${open.id} is ${open.verdict}.`,
      ];
}

/** The levels of looks follow from when they come. */
function describeOtherLooks({ looks }: RunPlan): string[] {
  return describeOther("The plan's looks", looks, () =>
    looksOf({ lookAtProcesses: looks.map(({ processes }) => processes) }),
  );
}

type Added = NonNullable<RunPlan["added"]>;
type PlannedMeasurements = NonNullable<RunPlan["measurements"]>;

/** What measurements added is there, by its number, and each was planned. */
function describeOtherEntries(
  record: ResultRecord,
  measurements: PlannedMeasurements,
  added: Added,
): string[] {
  const { measured } = record.plan;
  const known = measurements.map(({ id }) => id);
  const order = firstDifference(
    measured,
    added.map(({ id }) => id),
    "measured",
    "by what was added",
  );
  const fields = new Set([
    ...Object.keys(measurementDefinitions),
    ...added.flatMap(({ entries }) => Object.keys(entries)),
  ]);
  return [
    ...(order === undefined ? [] : [`The plan: ${order}.`]),
    ...measured
      .filter((id) => !known.includes(id))
      .map((id) => `The measurement ${id} is in the record, and was not planned.`),
    ...[...fields].flatMap((field) => {
      const entries = (record as unknown as Readonly<Record<string, unknown>>)[field];
      const there = Array.isArray(entries) ? entries.length : 0;
      const sum = added.reduce((total, { entries: own }) => total + countOf(own, field), 0);
      if (there === sum) return [];
      return [`The measurements added ${sum} to ${field}, and ${there} are there.`];
    }),
    ...(record.failedMeasurements ?? [])
      .filter(({ id }) => !known.includes(id))
      .map(({ id }) => `The measurement ${id} failed, and was not planned.`),
  ];
}

/** Not what an object inherits: a record may have a field called "constructor". */
function countOf(entries: Readonly<Record<string, number>>, field: string): number {
  return Object.hasOwn(entries, field) ? (entries[field] as number) : 0;
}

/** Entries stand in the order in which measurements added them. */
function describeOtherPromises(
  { transports = [], engine = [] }: ResultRecord,
  measurements: PlannedMeasurements,
  added: Added,
): string[] {
  const problems: string[] = [];
  const rest = { transports: [...transports], engine: [...engine] };
  for (const { id, entries } of added) {
    const promised = measurements.find((one) => one.id === id)?.promises ?? [];
    for (const field of ["transports", "engine"] as const) {
      for (const { claims } of rest[field].splice(0, countOf(entries, field))) {
        const made = claims.map(promiseOf);
        const missing = promised.filter((promise) => !made.some((one) => isSame(one, promise)));
        const others = made.filter((one) => !promised.some((promise) => isSame(one, promise)));
        problems.push(
          ...missing.map(
            (promise) => `${id}: ${describe(promise)} was promised, and is not judged.`,
          ),
          ...others.map((one) => `${id}: ${describe(one)} is judged, and was not promised.`),
        );
      }
    }
  }
  return problems;
}

function isSame(one: MeasurementPromise, other: MeasurementPromise): boolean {
  return firstDifference(one, other, "") === undefined;
}

function describe({ of, against, limit }: MeasurementPromise): string {
  return `that ${of} against ${against} is below ${limit}`;
}
