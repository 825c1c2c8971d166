import { checkDrill, type Check } from "./drill-checks.js";
import { runDrillPart, type DrillPart, type DrillPartOutcome } from "./drill-part.js";
import { checkSize, planParts, type DrillSize } from "./drill-parts.js";
import { referenceCompletions } from "./drill-reference.js";
import { ProcessWatch } from "./process-watch.js";

export interface DrillOptions extends DrillSize {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DrillProgress) => void;
}

export interface DrillProgress {
  /** The part that runs. */
  readonly subject: string;
  readonly ended: number;
  readonly streams: number;
  /** 0 to 1, of the streams of all parts. */
  readonly fractionDone: number;
}

export interface DrillReport {
  readonly seed: number;
  readonly interrupted: boolean;
  readonly parts: readonly DrillPartOutcome[];
  readonly checks: readonly Check[];
}

/**
 * Commits faults among streams that run at the same time, and checks that only
 * those are hurt whose fault it is, that all of them end, and that nothing is
 * left behind. The drill watches the whole process: nothing else should run in it.
 *
 * @throws StreamgaugeError `INVALID_OPTION`, and what the runtime throws when it cannot be made
 */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const { seed, signal = new AbortController().signal } = options;
  checkSize(options);
  const watch = new ProcessWatch();
  try {
    // What is loaded, compiled and allocated once is there after a small drill.
    const references = await referenceCompletions();
    const rehearsal = await planParts({ seed: seed ^ 1, ...rehearsalSize }, references);
    const parts = await planParts(options, references);
    const planned = [...rehearsal, ...parts].reduce((sum, part) => sum + part.streams.length, 0);
    let endedBefore = 0;
    const runPart = async (part: DrillPart, subject: string): Promise<DrillPartOutcome> => {
      const streams = part.streams.length;
      const onEnded = (ended: number): void => {
        const fractionDone = (endedBefore + ended) / planned;
        options.onProgress?.({ subject, ended, streams, fractionDone });
      };
      onEnded(0);
      const outcome = await runDrillPart(part, { watch, signal, onEnded });
      endedBefore += streams;
      return outcome;
    };
    for (const part of rehearsal) {
      if (!signal.aborted) await runPart(part, `rehearsal, ${part.name}`);
    }
    const before = await watch.look();
    const outcomes: DrillPartOutcome[] = [];
    for (const part of parts) {
      if (signal.aborted) break;
      outcomes.push(await runPart(part, part.name));
    }
    const after = await watch.look();
    const checks = checkDrill(outcomes, { before, after, complaints: watch.complaints });
    return { seed, interrupted: signal.aborted, parts: outcomes, checks };
  } finally {
    watch.stop();
  }
}

/** Each kind of fault once in each part. */
const rehearsalSize = { streams: 42, faults: 42, embeddedStreams: 8, embeddedFaults: 8 };
