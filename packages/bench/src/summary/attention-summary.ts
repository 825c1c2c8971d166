import type { ResultRecord } from "../record/index.js";

/** Something that could not be measured, and why. */
export interface FailureSummary {
  /** The id of a cell or of another measurement. */
  readonly of: string;
  readonly code: string;
  readonly message: string;
}

/** Cells first. */
export function failuresOf({ cells, failedMeasurements = [] }: ResultRecord): FailureSummary[] {
  return [
    ...cells.flatMap(({ id, failure }) => (failure === null ? [] : [{ id, ...failure }])),
    ...failedMeasurements,
  ].map(({ id, code, message }) => ({ of: id, code, message }));
}

/** What disturbed the run, or makes its intervals too narrow. */
export function notesOn({ cells, environment, transports = [] }: ResultRecord): string[] {
  const unsteady = [
    ...cells.filter(({ warmUp, status }) => status === "complete" && !warmUp.steady),
    ...transports.filter(({ warmUp }) => !warmUp.steady),
  ].length;
  const fewProcesses = cells.filter(({ analysis }) =>
    analysis?.comparisons.some(({ level }) => level === "too few processes"),
  ).length;
  return [
    ...environment.advice,
    ...(unsteady === 0
      ? []
      : [`${countOf(unsteady, "measurement")} still got faster or slower after the warm-up`]),
    ...(fewProcesses === 0
      ? []
      : [`${countOf(fewProcesses, "setup")} had too few processes: the true intervals are wider`]),
  ];
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
