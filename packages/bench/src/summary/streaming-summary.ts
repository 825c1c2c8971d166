import {
  describeVariant,
  type Cell,
  type DistributionMetric,
  type ResultRecord,
  type Treatment,
} from "../record/index.js";
import { distributionOf } from "../tables/comparisons.js";
import { costAtTokenTime, costPerToken } from "../tables/cost-per-token.js";
import { modeNames } from "../tables/table.js";
import type { Interval } from "../tables/value.js";

/** The token time of a model that people run on a CPU, which costs are shown against. */
export const ordinaryTokenMilliseconds = 20;

/** What streaming costs in one cell. */
export interface StreamingSummary {
  /** The cell's id. */
  readonly cell: string;
  readonly scenario: string;
  readonly model: string;
  /** What was chosen for the cell, in words; empty for an ordinary one. */
  readonly variant: string;
  readonly host: string;
  /** Of one generation. */
  readonly tokens: number;
  readonly blocks: number;
  readonly processes: number;
  /** Of `generate`, median of the blocks; null where it was not analysed. */
  readonly generateMicrosecondsPerToken: number | null;
  /** Sync first; only those that were measured. */
  readonly modes: readonly ModeSummary[];
  /** Cells of the record beside this one. */
  readonly otherCells: number;
}

/** What one mode of streaming costs, and how fast tokens come. */
export interface ModeSummary {
  readonly mode: Exclude<Treatment, "generate" | "control">;
  /** As tables call it. */
  readonly name: string;
  /** null with fewer blocks than an interval needs, like the two that follow. */
  readonly costMicrosecondsPerToken: Interval | null;
  /** A fraction of `generate`. */
  readonly fractionOfThisModel: Interval | null;
  /** A fraction of {@link ordinaryTokenMilliseconds}. */
  readonly fractionOfOrdinaryModel: Interval | null;
  readonly timeToFirstToken: LatencyPair | null;
  readonly interTokenLatency: LatencyPair | null;
}

/** Over all measured runs. */
export interface LatencyPair {
  readonly p50Nanoseconds: number;
  readonly p99Nanoseconds: number;
}

/** Null where no cell was measured. */
export function streamingSummary(record: ResultRecord): StreamingSummary | null {
  const cell = headlineCell(record);
  const modes = cell === undefined ? [] : streamed.flatMap((mode) => modeSummary(cell, mode));
  if (cell === undefined || modes.length === 0) return null;
  const alone = cell.analysis?.treatments.find(({ treatment }) => treatment === "generate");
  return {
    cell: cell.id,
    scenario: cell.scenario,
    model: cell.model,
    variant: describeVariant(cell),
    host: cell.host,
    tokens: cell.tokens,
    blocks: cell.blocks.length,
    processes: Math.max(1, cell.processes.length),
    generateMicrosecondsPerToken:
      alone === undefined ? null : alone.endToEndNanoseconds / 1e3 / cell.tokens,
    modes,
    otherCells: record.cells.length - 1,
  };
}

const streamed = ["stream", "streamAsync"] as const;

/**
 * The cell that stands for all: of those that a claim on the overhead is about, the one
 * with the most gaps between tokens; else of all. Undefined for a record without cells.
 */
export function headlineCell({ cells, claims }: ResultRecord): Cell | undefined {
  const claimed = cells.filter(({ id }) =>
    claims.some(({ cell, metric }) => cell === id && metric === "overhead"),
  );
  const candidates = claimed.some((cell) => gaps(cell) > 0) ? claimed : cells;
  return candidates.toSorted((a, b) => gaps(b) - gaps(a))[0];
}

function gaps({ distributions }: Cell): number {
  return Math.max(
    0,
    ...distributions
      .filter(({ metric }) => metric === "interTokenLatency")
      .map(({ count }) => count),
  );
}

function modeSummary(cell: Cell, mode: ModeSummary["mode"]): ModeSummary[] {
  const cost = costPerToken(cell, mode);
  const timeToFirstToken = latencyOf(cell, mode, "timeToFirstToken");
  const interTokenLatency = latencyOf(cell, mode, "interTokenLatency");
  if (cost === undefined && timeToFirstToken === null && interTokenLatency === null) return [];
  return [
    {
      mode,
      name: modeNames[mode],
      costMicrosecondsPerToken: cost === undefined ? null : bare(cost.microseconds),
      fractionOfThisModel: cost === undefined ? null : bare(cost.ofThisModel),
      fractionOfOrdinaryModel:
        cost === undefined
          ? null
          : costAtTokenTime(cost.microseconds, ordinaryTokenMilliseconds * 1000),
      timeToFirstToken,
      interTokenLatency,
    },
  ];
}

/** Without what else the record says of an estimate. */
function bare({ value, interval95: { lower, upper } }: Interval): Interval {
  return { value, interval95: { lower, upper } };
}

function latencyOf(cell: Cell, mode: Treatment, metric: DistributionMetric): LatencyPair | null {
  const found = distributionOf(cell, mode, metric);
  if (found === undefined || found.count === 0) return null;
  const { p50Nanoseconds, p99Nanoseconds } = found;
  return { p50Nanoseconds, p99Nanoseconds };
}
