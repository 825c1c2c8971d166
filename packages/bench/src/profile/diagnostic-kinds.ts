import type { PeakMemory, ProfileFindings } from "../record/index.js";
import { summarizeAllocations } from "./allocation-summary.js";
import { summarizeAsyncActivity } from "./async-activity-summary.js";
import { summarizeCpuProfiles } from "./cpu-profile-summary.js";
import type { Diagnostic } from "@streamgauge/runtime/diagnostics";
import type { ThreadReport } from "./thread-report.js";
import type { ObservedRun } from "./instrument.js";
import type { ObservedTokens } from "./slow-gaps.js";
import { portablePath } from "./portable-path.js";
import { summarizeTimelines } from "./timeline-summary.js";
import { renderTimelineTrace } from "./timeline-trace.js";

/** One observed run, and what the threads reported of it. */
export interface Observation<Kind extends Diagnostic> {
  readonly run: ObservedRun;
  /** The reading of the clock that the run's times are relative to. */
  readonly startNanoseconds: number;
  readonly reports: readonly ThreadReport<Kind>[];
}

/** A file that other tools open. */
export interface ProfileFile {
  readonly thread: string;
  readonly extension: string;
  readonly content: string;
}

/** What is particular to one kind of report. */
export interface DiagnosticKind<Kind extends Diagnostic> {
  readonly files: (observation: Observation<Kind>) => readonly ProfileFile[];
  /** @param about.tokens made in all of these runs together */
  readonly summarize: (
    observations: readonly Observation<Kind>[],
    about: { readonly tokens: number; readonly peakMemory: PeakMemory },
  ) => ProfileFindings;
}

/** Every kind that threads can report. */
export const diagnosticKinds: { readonly [Kind in Diagnostic]: DiagnosticKind<Kind> } = {
  cpuProfile: {
    files: ({ reports }) => reports.map((own) => fileOf(own, "cpuprofile")),
    summarize: (observations, { tokens }) => summarizeCpuProfiles(reportsOf(observations), tokens),
  },
  allocations: {
    files: ({ reports }) => reports.map((own) => fileOf(own, "heapprofile")),
    summarize: (observations, { tokens, peakMemory }) =>
      summarizeAllocations(reportsOf(observations), tokens, peakMemory),
  },
  timeline: {
    files: (observation) => [
      {
        thread: "all threads",
        extension: "trace.json",
        content: renderTimelineTrace(tokensOf(observation)),
      },
    ],
    summarize: (observations) => summarizeTimelines(observations.map(tokensOf)),
  },
  asyncActivity: {
    files: () => [],
    summarize: (observations, { tokens }) =>
      summarizeAsyncActivity(reportsOf(observations), tokens),
  },
};

function fileOf({ thread, report }: ThreadReport<Diagnostic>, extension: string): ProfileFile {
  const content = JSON.stringify(report, (key, value: unknown) =>
    key === "url" && typeof value === "string" ? portablePath(value) : value,
  );
  return { thread, extension, content };
}

function reportsOf<Kind extends Diagnostic>(
  observations: readonly Observation<Kind>[],
): ThreadReport<Kind>[] {
  return observations.flatMap(({ reports }) => reports);
}

/** Brings the run's times to the clock that the timelines are on. */
function tokensOf({ run, startNanoseconds, reports }: Observation<"timeline">): ObservedTokens {
  const toMilliseconds = (nanoseconds: Float64Array): Float64Array =>
    nanoseconds.map((since) => (startNanoseconds + since) / 1e6);
  return {
    deliveredMilliseconds: toMilliseconds(run.deliveredNanoseconds),
    producedMilliseconds: toMilliseconds(run.producedNanoseconds),
    timelines: reports,
  };
}
