import type { ResultRecord } from "../record/index.js";
import { parts } from "../tables/parts.js";
import { claimsInWords, type ClaimSummary } from "./claim-summary.js";
import { failuresOf, notesOn, type FailureSummary } from "./attention-summary.js";
import { nextStep, type NextStep, type RunPlace } from "./next-step.js";
import { shellWord } from "./shell-word.js";
import { streamingSummary, type StreamingSummary } from "./streaming-summary.js";
import { transportSummaries, type TransportSummaryLine } from "./transport-summary.js";

/** The name of this document, which `streamgauge bench --json` prints. */
export const summarySchema = "streamgauge/summary";

/** Raised whenever a reader of the previous version would misread it. */
export const summaryVersion = 1;

/** What a run says at its end, as data. The terminal, `--json` and the page show it. */
export interface RunSummary {
  readonly schema: typeof summarySchema;
  readonly version: typeof summaryVersion;
  readonly runId: string;
  readonly status: ResultRecord["status"];
  readonly profile: string;
  readonly seed: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601; null while running. */
  readonly endedAt: string | null;
  readonly machine: MachineSummary;
  /** What streaming costs in the cell that stands for all; null where nothing was compared. */
  readonly streaming: StreamingSummary | null;
  /** CPU time per token of each way between threads, by load. */
  readonly transports: readonly TransportSummaryLine[];
  /** Each claim once, with all that it was held against. */
  readonly claims: readonly ClaimSummary[];
  readonly failures: readonly FailureSummary[];
  /** Sentences that a reader should know before believing the numbers. */
  readonly notes: readonly string[];
  /** Headings of the tables that the record has more of. */
  readonly tables: readonly string[];
  readonly next: NextStep | null;
  /** The record's file; null where that is not known. */
  readonly record: string | null;
  /** The command that makes a page of it; null where the file is not known. */
  readonly pageCommand: string | null;
}

/** Where a run was measured. */
export interface MachineSummary {
  readonly cpuModel: string;
  readonly logicalCores: number;
  readonly operatingSystem: string;
  readonly nodeVersion: string;
  /** null outside a git checkout. */
  readonly commit: string | null;
  /** Whether files differed from the commit; false without one. */
  readonly hasChanges: boolean;
}

/**
 * What a record comes to. It computes no statistics: each number is in the record.
 *
 * @param place where the record is and which commands read it there; without it the
 *   summary names none
 */
export function summarize(record: ResultRecord, place?: RunPlace): RunSummary {
  const { runId, status, profile, seed, startedAt, endedAt } = record;
  const { cpuModel, logicalCores, operatingSystem, nodeVersion, git } = record.environment;
  const streaming = streamingSummary(record);
  const claims = claimsInWords(record);
  return {
    schema: summarySchema,
    version: summaryVersion,
    runId,
    status,
    profile,
    seed,
    startedAt,
    endedAt,
    machine: {
      cpuModel,
      logicalCores,
      operatingSystem,
      nodeVersion,
      commit: git?.commit ?? null,
      hasChanges: git?.dirty ?? false,
    },
    streaming,
    transports: transportSummaries(record),
    claims,
    failures: failuresOf(record),
    notes: notesOn(record),
    tables: tablesOf(record),
    next: place === undefined ? null : nextStep(record, claims, streaming, place),
    record: place?.recordPath ?? null,
    pageCommand: place === undefined ? null : pageCommand(place),
  };
}

function pageCommand({ reportCommand, folder }: RunPlace): string {
  return `${reportCommand} --html --record ${shellWord(folder)}`;
}

/** Those with rows, without their subject where several are of one. */
function tablesOf(record: ResultRecord): string[] {
  const headings = Object.values(parts)
    .flatMap(({ groups }) => groups(record).flat())
    .filter(({ rows }) => rows.length > 0)
    .map(({ heading }) => heading.replace(/:.*$/, ""));
  return [...new Set(headings)];
}
