import { diagnosticKinds, type DiagnosticKind, type Observation } from "./diagnostic-kinds.js";
import type { Diagnostic } from "@streamgauge/runtime/diagnostics";
import type { Diagnostics, RunningReports, ThreadReport } from "./thread-report.js";
import {
  profileFileName,
  type Conclusion,
  type Instrument,
  type InstrumentSetting,
} from "./instrument.js";
import { ObservingRecorder } from "./observing-recorder.js";

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
      return create(kind, diagnosticKinds[kind], mainDiagnostics, setting);
    case "allocations":
      return create(kind, diagnosticKinds[kind], mainDiagnostics, setting);
    case "timeline":
      return create(kind, diagnosticKinds[kind], mainDiagnostics, setting);
    case "asyncActivity":
      return create(kind, diagnosticKinds[kind], mainDiagnostics, setting);
    default:
      return kind satisfies never;
  }
}

function create<Kind extends Diagnostic>(
  kind: Kind,
  { files: filesOf, summarize }: DiagnosticKind<Kind>,
  mainDiagnostics: Diagnostics,
  setting: InstrumentSetting,
): Instrument {
  const { generator, context, tokens } = setting;
  const recorder = new ObservingRecorder(context.clock, tokens);
  const observations: Observation<Kind>[] = [];
  let running: RunningReports<Kind>[] = [];
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
      if (workers !== undefined) running = [workers as RunningReports<Kind>];
      running = [await mainDiagnostics(kind), ...running];
    },
    stop,
    keep(run) {
      observations.push({ run, startNanoseconds: recorder.startNanoseconds, reports });
    },
    async conclude(unobserved): Promise<Conclusion> {
      const files: string[] = [];
      for (const last of observations.slice(-1)) {
        for (const { thread, extension, content } of filesOf(last)) {
          files.push(await context.saveFile(profileFileName(setting, thread, extension), content));
        }
      }
      const about = { ...unobserved, tokens: tokens * observations.length };
      return { files, findings: summarize(observations, about) };
    },
    close: stop,
  };
}
