import type { StepWeights } from "../onnx/step-weights.js";
import {
  cacheFolder,
  keepTimings,
  readTimings,
  type KeptTimings,
  type TimingsKey,
} from "./kept-timings.js";
import { machineClass } from "./machine-class.js";
import { probeOf, type LeanGraph } from "./open-probe.js";
import {
  leastTrialGain,
  possibleSettings,
  settingsByRule,
  settingsByTimings,
  settingsToTime,
  simplest,
  type ThreadLoad,
} from "./thread-rule.js";
import {
  inWords,
  type ThreadSettings,
  type TimedSettings,
  type Tuning,
} from "./thread-settings.js";
import { timeSettings, timingBudgetMilliseconds, type MeasuredSettings } from "./time-settings.js";
import { usableCores } from "./usable-cores.js";

/** What the user says about threads. */
export interface ThreadRequest {
  /** Undefined: to be chosen. */
  readonly threads: number | undefined;
  /** Undefined: to be chosen. */
  readonly spinMicroseconds: number | undefined;
  readonly tuning: Tuning;
  /** Models that are loaded side by side. */
  readonly workers: number;
  readonly executionProvider: string;
}

/** The settings of a model, each with the reason, in words for users. */
export interface ThreadChoice extends ThreadSettings {
  readonly because: { readonly threads: string; readonly spinning: string };
}

/** What {@link chooseThreads} asks; other than the machine's in tests. */
export interface TuningSources {
  readonly cores: number;
  readonly keyOf: (weights: StepWeights, workers: number) => TimingsKey;
  readonly read: (key: TimingsKey) => Promise<KeptTimings | undefined>;
  /** Does nothing where nothing can be kept. */
  readonly keep: (key: TimingsKey, kept: KeptTimings) => Promise<void>;
  /** Undefined where it had too little time or nothing to measure; rejects where that fails. */
  readonly measure: (
    settings: readonly ThreadSettings[],
    model: LeanGraph,
    weights: StepWeights,
  ) => Promise<MeasuredSettings | undefined>;
}

/**
 * This machine.
 *
 * @param folder the user's cache; undefined: there is none
 */
export function ownSources(folder: string | undefined): TuningSources {
  const cores = usableCores();
  return {
    cores,
    keyOf: ({ shapeHash }, workers) => ({ ...machineClass(cores), shapeHash, workers }),
    read: async (key) => (folder === undefined ? undefined : await readTimings(folder, key)),
    async keep(key, kept) {
      if (folder === undefined) return;
      // A trial of the whole model, which has ended meanwhile, says more.
      if ((await readTimings(folder, key))?.source === "tune") return;
      // A folder that cannot be written to costs a measurement at each start, and no more.
      await keepTimings(folder, key, kept).catch(() => undefined);
    },
    async measure(settings, model, weights) {
      const open = await probeOf(model, weights);
      if (open === undefined) return undefined;
      const budgetMilliseconds = timingBudgetMilliseconds(weights);
      return await timeSettings(settings, {
        open,
        budgetMilliseconds,
        now: () => performance.now(),
      });
    },
  };
}

/**
 * Chooses how many threads work on a step, and how long idle ones spin. What the user says stands.
 * A measurement blocks the calling thread, and is made only where one worker loads: several would
 * disturb each other. Never rejects: where nothing can be read or measured, the rule decides.
 *
 * @param weights of the model's graph; undefined where they are not found
 */
export async function chooseThreads(
  request: ThreadRequest,
  model: LeanGraph,
  weights: StepWeights | undefined,
  sources: TuningSources = ownSources(cacheFolder()),
): Promise<ThreadChoice> {
  const { threads, spinMicroseconds, tuning, workers } = request;
  const chosen = {
    ...(threads !== undefined && { threads }),
    ...(spinMicroseconds !== undefined && { spinMicroseconds }),
  };
  if (threads !== undefined && spinMicroseconds !== undefined) {
    return explain(request, { threads, spinMicroseconds }, "");
  }
  const load: ThreadLoad = { weights, cores: sources.cores, workers, chosen };
  const ruled = settingsByRule(load);
  const byRule = (more = ""): ThreadChoice =>
    explain(request, ruled, `by rule: ${describeLoad(load)}${more}`);
  if (weights === undefined || tuning === "rule" || request.executionProvider !== "cpu") {
    return byRule();
  }

  const key = sources.keyOf(weights, workers);
  const kept = await sources.read(key);
  const remembered = kept && settingsOf(load, kept);
  if (kept !== undefined && remembered !== undefined) {
    const when =
      kept.source === "tune" ? "found by `streamgauge tune`" : "measured at a first loading";
    return explain(request, remembered, `${when}: ${compare(remembered, kept.timings)}`);
  }
  // What one worker took says which of the settings are fast that several may take.
  const ofOne = workers > 1 ? await sources.read({ ...key, workers: 1 }) : undefined;
  const shared = ofOne && settingsByTimings(load, ofOne.timings);
  if (ofOne !== undefined && shared !== undefined) {
    const why = `measured with one worker: ${compare(shared, ofOne.timings)}`;
    return explain(request, shared, `${why}; ${describeLoad(load)}`);
  }
  if (workers > 1) return byRule("; several workers measure nothing while they load");
  if (Object.keys(chosen).length > 0 || possibleSettings(load).length === 1) return byRule();

  const measured = await sources
    .measure(settingsToTime(load), model, weights)
    .catch(() => undefined);
  if (measured === undefined) return byRule("; a measurement was not possible");
  if (!measured.isSteady) return byRule("; a measurement was too unsteady to go by");
  const { timings } = measured;
  if (tuning === "keep") await sources.keep(key, { source: "loading", timings });
  const settings = settingsByTimings(load, timings) ?? ruled;
  return explain(request, settings, `measured while loading: ${compare(settings, timings)}`);
}

/** Times of the model itself decide alone; those of some of its matrices, together with the rule. */
function settingsOf(
  load: ThreadLoad,
  { source, timings }: KeptTimings,
): ThreadSettings | undefined {
  if (source === "loading") return settingsByTimings(load, timings);
  const { threads, spinMicroseconds } = load.chosen;
  const best = simplest(
    timings
      .filter((timed) => threads === undefined || timed.threads === threads)
      .filter(
        (timed) => spinMicroseconds === undefined || timed.spinMicroseconds === spinMicroseconds,
      ),
    leastTrialGain,
  );
  return best && { threads: best.threads, spinMicroseconds: best.spinMicroseconds };
}

function explain(
  request: ThreadRequest,
  { threads, spinMicroseconds }: ThreadSettings,
  because: string,
): ThreadChoice {
  const spinning = threads === 1 ? "one thread waits for nobody" : because;
  return {
    threads,
    spinMicroseconds,
    because: {
      threads: request.threads === undefined ? because : "the option threads says so",
      spinning:
        request.spinMicroseconds === undefined ? spinning : "the option spinMicroseconds says so",
    },
  };
}

function describeLoad({ weights, cores, workers }: ThreadLoad): string {
  const work =
    weights === undefined
      ? "matrices that were not found in the graph"
      : `${weights.matrices} matrices of ${megabytes(weights.bytes)} MB in all`;
  return `a step reads ${work}; ${count(cores, "core")}, ${count(workers, "worker")}`;
}

/** `2 threads that spin for 50 µs take 0.57 of the time of 1 thread`. */
function compare(settings: ThreadSettings, timings: readonly TimedSettings[]): string {
  const timeOf = ({ threads, spinMicroseconds }: ThreadSettings): number | undefined =>
    timings.find(
      (timed) => timed.threads === threads && timed.spinMicroseconds === spinMicroseconds,
    )?.microseconds;
  const own = timeOf(settings);
  const other = timings.find(
    (timed) => timed.microseconds !== own && (settings.threads === 1 || timed.threads === 1),
  );
  if (own === undefined || other === undefined) return inWords(settings);
  const part = (own / other.microseconds).toFixed(2);
  return `${inWords(settings)} took ${part} of the time of ${inWords(other)}`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0);
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
