import type {
  Cell,
  Comparison,
  Distribution,
  ResultRecord,
  Run,
  Treatment,
  TreatmentSummary,
} from "@streamgauge/bench/record";
import { comparisonOf } from "@streamgauge/bench/tables";

/** A mode of a cell, and all that a record says about it. */
export interface MeasuredMode {
  readonly cell: Cell;
  readonly treatment: Treatment;
  readonly runs: readonly Run[];
  readonly distributions: readonly Distribution[];
  /** Against `generate`; there is none of `generate` itself. */
  readonly comparison: Comparison | undefined;
  readonly summary: TreatmentSummary;
}

/** Names of the modes without spaces, for formats whose names cannot have any. */
export const modeKeys: Readonly<Record<Treatment, string>> = {
  generate: "generate",
  control: "control",
  stream: "sync",
  streamAsync: "async",
};

/** Every mode of every analysed cell, in the order of the record. */
export function measuredModes({ cells }: ResultRecord): MeasuredMode[] {
  return cells.flatMap((cell) =>
    (cell.analysis?.treatments ?? []).map((summary) => ({
      cell,
      treatment: summary.treatment,
      runs: cell.blocks.flatMap(({ runs }) =>
        runs.filter(({ treatment }) => treatment === summary.treatment),
      ),
      distributions: cell.distributions.filter(({ treatment }) => treatment === summary.treatment),
      comparison:
        summary.treatment === "generate" ? undefined : comparisonOf(cell, summary.treatment),
      summary,
    })),
  );
}

/**
 * The modes that stream one generation at a time: those of which a run's times are
 * what a serving benchmark calls a request.
 */
export function streamedRequests(record: ResultRecord): MeasuredMode[] {
  return measuredModes(record).filter(
    ({ cell, treatment }) =>
      (treatment === "stream" || treatment === "streamAsync") && (cell.concurrency ?? 1) === 1,
  );
}
