import { StreamgaugeError } from "@streamgauge/core";
import { z } from "zod";
import { tokensOf } from "../conclude/derivation.js";
import type { Cell, DistributionMetric, ResultRecord, Treatment } from "../record/index.js";
import { machineClass } from "../record/machine-class.js";

/** One line of a history: what a record says of a commit, in a few numbers. */
export interface HistoryLine {
  readonly version: 1;
  /** Full hash. */
  readonly commit: string;
  /** When it was measured: ISO 8601. */
  readonly measuredAt: string;
  readonly machine: string;
  /** The record's own id. */
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
 * @throws StreamgaugeError `INVALID_RECORD` for a record that is not complete, does
 *   not say which commit it is of, or has no times
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
  const metrics = Object.fromEntries(record.cells.flatMap(metricsOf));
  if (Object.keys(metrics).length === 0) {
    return refuse("has nothing that a history keeps: it is about the times of cells.");
  }
  return {
    version: 1,
    commit: git.commit,
    measuredAt: endedAt,
    machine: machineClass(environment),
    runId,
    profile,
    metrics,
  };
}

/** A metric's name, taken apart. */
export interface MetricName {
  /** Its id. */
  readonly cell: string;
  readonly treatment: Exclude<Treatment, "control">;
  /** What is kept of it, with its unit. */
  readonly quantity: "µs/token" | "overhead %" | "time to first token µs";
}

const consumed: readonly MetricName["treatment"][] = ["generate", "stream", "streamAsync"];

const quantities: readonly MetricName["quantity"][] = [
  "µs/token",
  "overhead %",
  "time to first token µs",
];

/** Takes the name of a metric apart; undefined for one that this version does not write. */
export function readMetricName(name: string): MetricName | undefined {
  for (const treatment of consumed) {
    for (const quantity of quantities) {
      const end = ` ${treatment} ${quantity}`;
      if (name.endsWith(end)) return { cell: name.slice(0, -end.length), treatment, quantity };
    }
  }
  return undefined;
}

/** Digits beyond these are noise, and make lines long. */
const significantDigits = 5;

function metricsOf(cell: Cell): (readonly [string, number])[] {
  const { analysis, distributions } = cell;
  if (cell.status !== "complete" || analysis === null) return [];
  const found = consumed.flatMap((treatment) => {
    const times = analysis.treatments.find((each) => each.treatment === treatment);
    const overhead = analysis.comparisons.find((each) => each.treatment === treatment)?.overhead;
    const first = distributions.find(isFirstTokenOf(treatment));
    const values: Record<MetricName["quantity"], number | undefined> = {
      "µs/token": scaled(times?.endToEndNanoseconds, 1000 * tokensOf(cell)),
      "overhead %": scaled(overhead?.hodgesLehmann.value, 0.01),
      "time to first token µs": scaled(first?.p50Nanoseconds, 1000),
    };
    return quantities.map((quantity) => ({
      name: `${treatment} ${quantity}`,
      value: values[quantity],
    }));
  });
  return found.flatMap(({ name, value }) =>
    value === undefined
      ? []
      : [[`${cell.id} ${name}`, Number(value.toPrecision(significantDigits))] as const],
  );
}

function isFirstTokenOf(treatment: Treatment) {
  return (each: { treatment: Treatment; metric: DistributionMetric }): boolean =>
    each.treatment === treatment && each.metric === "timeToFirstToken";
}

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value / by;
}
