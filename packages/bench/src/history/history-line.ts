import { StreamgaugeError } from "@streamgauge/core";
import { z } from "zod";
import { tokensOf } from "../derivation.js";
import type { Cell, DistributionMetric, ResultRecord, Treatment } from "../record.js";
import { machineClass } from "../record/machine-class.js";

/** One line of a history: what a record says of a commit, in a few numbers. */
export interface HistoryLine {
  readonly version: 1;
  /** Full hash. */
  readonly commit: string;
  /** When it was measured: ISO 8601. */
  readonly measuredAt: string;
  readonly machine: string;
  /** Of the record. */
  readonly runId: string;
  readonly profile: string;
  /** By name, with the unit in it: "pequod-pooled-100 stream µs/token". */
  readonly metrics: Readonly<Record<string, number>>;
}

const lineSchema: z.ZodType<HistoryLine> = z.strictObject({
  version: z.literal(1),
  commit: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, "is not a full commit hash"),
  measuredAt: z.iso.datetime(),
  machine: z.string().regex(/^[a-z0-9-]+$/, "is not the name of a machine class"),
  runId: z.string().min(1),
  profile: z.string().min(1),
  metrics: z.record(z.string().min(1), z.number()),
});

/**
 * Checks a line of a history that has been read.
 *
 * @throws StreamgaugeError `INVALID_RECORD` saying what is wrong, in a phrase
 */
export function parseHistoryLine(text: string): HistoryLine {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new StreamgaugeError("INVALID_RECORD", "is not JSON", { cause });
  }
  const { success, data, error } = lineSchema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  const path = issue?.path.join(".") ?? "";
  throw new StreamgaugeError(
    "INVALID_RECORD",
    `is not a line of a history: ${path === "" ? "" : `"${path}": `}${issue?.message ?? "unknown"}`,
    { cause: error },
  );
}

/**
 * A record as a line.
 *
 * @throws StreamgaugeError `INVALID_RECORD` for a record that is not complete, or
 *   that does not say which commit it is of
 */
export function historyLineOf(record: ResultRecord): HistoryLine {
  const { status, environment, endedAt, runId, profile } = record;
  const { git } = environment;
  const refuse = (reason: string): never => {
    throw new StreamgaugeError("INVALID_RECORD", `Run ${runId} ${reason}`);
  };
  if (status !== "complete" || endedAt === null) {
    return refuse(`is ${status}: finish it with --resume before it becomes history.`);
  }
  if (git === null) return refuse("was not measured in a git repository: history is by commit.");
  if (git.dirty) {
    return refuse("was measured with uncommitted changes: commit them, and measure the commit.");
  }
  return {
    version: 1,
    commit: git.commit,
    measuredAt: endedAt,
    machine: machineClass(environment),
    runId,
    profile,
    metrics: Object.fromEntries(record.cells.flatMap(metricsOf)),
  };
}

const consumed: readonly Treatment[] = ["generate", "stream", "streamAsync"];

/** Digits beyond these are noise, and make lines long. */
const significantDigits = 5;

function metricsOf(cell: Cell): [string, number][] {
  const { analysis, distributions } = cell;
  if (cell.status !== "complete" || analysis === null) return [];
  const found: [string, number | undefined][] = consumed.flatMap((treatment) => {
    const times = analysis.treatments.find((each) => each.treatment === treatment);
    const overhead = analysis.comparisons.find((each) => each.treatment === treatment)?.overhead;
    const first = distributions.find(isFirstTokenOf(treatment));
    return [
      [`${treatment} µs/token`, scaled(times?.endToEndNanoseconds, 1000 * tokensOf(cell))],
      [`${treatment} overhead %`, scaled(overhead?.hodgesLehmann.value, 0.01)],
      [`${treatment} time to first token µs`, scaled(first?.p50Nanoseconds, 1000)],
    ];
  });
  return found.flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[`${cell.id} ${name}`, Number(value.toPrecision(significantDigits))]],
  );
}

function isFirstTokenOf(treatment: Treatment) {
  return (each: { treatment: Treatment; metric: DistributionMetric }): boolean =>
    each.treatment === treatment && each.metric === "timeToFirstToken";
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}
