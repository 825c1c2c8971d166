import type { PeakMemory, ProfileFindings } from "../record.js";
import { summarizeAllocations } from "./allocation-summary.js";
import { summarizeAsyncActivity } from "./async-activity-summary.js";
import { summarizeCpuProfiles } from "./cpu-profile-summary.js";
import type { Diagnostic, Diagnostics, ThreadReport } from "./diagnostics.js";
import {
  profileFileName,
  type Conclusion,
  type Instrument,
  type InstrumentSetting,
  type ObservedRun,
} from "./instrument.js";
import { ObservingRecorder } from "./observing-recorder.js";
import { summarizeTimelines } from "./timeline-summary.js";

/** One observed run, and what the threads reported of it. */
interface Observation<Kind extends Diagnostic> {
  readonly run: ObservedRun;
  readonly startNanoseconds: number;
  readonly reports: readonly ThreadReport<Kind>[];
}

/** What is particular to one kind of report. */
interface DiagnosticKind<Kind extends Diagnostic> {
  /** Of the file that its reports are saved as; undefined where no tool reads them. */
  readonly extension: string | undefined;
  readonly summarize: (
    observations: readonly Observation<Kind>[],
    about: { readonly tokens: number; readonly peakMemory: PeakMemory },
  ) => ProfileFindings;
}

const kinds: { readonly [Kind in Diagnostic]: DiagnosticKind<Kind> } = {
  cpuProfile: {
    extension: "cpuprofile",
    summarize: (observations, { tokens }) => summarizeCpuProfiles(reportsOf(observations), tokens),
  },
  allocations: {
    extension: "heapprofile",
    summarize: (observations, { tokens, peakMemory }) =>
      summarizeAllocations(reportsOf(observations), tokens, peakMemory),
  },
  timeline: {
    extension: undefined,
    summarize: (observations) =>
      summarizeTimelines(
        observations.map(({ run, startNanoseconds, reports }) => {
          const toMilliseconds = (nanoseconds: Float64Array): Float64Array =>
            nanoseconds.map((since) => (startNanoseconds + since) / 1e6);
          return {
            deliveredMilliseconds: toMilliseconds(run.deliveredNanoseconds),
            producedMilliseconds: toMilliseconds(run.producedNanoseconds),
            timelines: reports,
          };
        }),
      ),
  },
  asyncActivity: {
    extension: undefined,
    summarize: (observations, { tokens }) =>
      summarizeAsyncActivity(reportsOf(observations), tokens),
  },
};

/**
 * Asks the calling thread and the generator's workers, if it has any, for one
 * kind of report about each run.
 *
 * @param mainDiagnostics the calling thread's diagnostics
 */
export function createDiagnosticInstrument(
  kind: Diagnostic,
  mainDiagnostics: Diagnostics,
  setting: InstrumentSetting,
): Instrument {
  switch (kind) {
    case "cpuProfile":
      return create(kind, kinds[kind], mainDiagnostics, setting);
    case "allocations":
      return create(kind, kinds[kind], mainDiagnostics, setting);
    case "timeline":
      return create(kind, kinds[kind], mainDiagnostics, setting);
    case "asyncActivity":
      return create(kind, kinds[kind], mainDiagnostics, setting);
  }
}

function create<Kind extends Diagnostic>(
  kind: Kind,
  { extension, summarize }: DiagnosticKind<Kind>,
  mainDiagnostics: Diagnostics,
  setting: InstrumentSetting,
): Instrument {
  const { generator, context, tokens } = setting;
  const recorder = new ObservingRecorder(context.clock, tokens);
  const observations: Observation<Kind>[] = [];
  let running: { stop(): Promise<readonly ThreadReport<Kind>[]> }[] = [];
  let reports: readonly ThreadReport<Kind>[] = [];

  const stop = async (): Promise<void> => {
    const stopping = running;
    running = [];
    reports = [];
    for (const diagnostic of stopping) reports = [...reports, ...(await diagnostic.stop())];
  };
  return {
    generator,
    recorder,
    async start() {
      // The calling thread last, and first to be stopped: its report is about the run alone.
      const workers = await generator.diagnostics?.(kind);
      if (workers !== undefined) running = [workers];
      running = [await mainDiagnostics(kind), ...running];
    },
    stop,
    keep(run) {
      observations.push({ run, startNanoseconds: recorder.startNanoseconds, reports });
    },
    async conclude(unobserved): Promise<Conclusion> {
      const files: string[] = [];
      for (const { thread, report } of extension === undefined ? [] : reports) {
        const name = profileFileName(setting, thread, extension as string);
        files.push(await context.saveFile(name, JSON.stringify(report)));
      }
      const about = { ...unobserved, tokens: tokens * observations.length };
      return { files, findings: summarize(observations, about) };
    },
    close: stop,
  };
}

function reportsOf<Kind extends Diagnostic>(
  observations: readonly Observation<Kind>[],
): ThreadReport<Kind>[] {
  return observations.flatMap(({ reports }) => reports);
}
