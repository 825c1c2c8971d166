import {
  array,
  boolean,
  dictionary,
  nullable,
  number,
  object,
  optional,
  string,
  type Check,
} from "./shape.js";

/** The machine and the software, and what about them may disturb a measurement. */
export interface Environment {
  readonly cpuModel: string;
  readonly logicalCores: number;
  /** Frequency governor of the first core; null where it cannot be read. */
  readonly cpuGovernor: string | null;
  readonly memoryBytes: number;
  readonly operatingSystem: string;
  /** Cores that worked for others right before the run; absent in records from before it was read. */
  readonly busyCoresBefore?: number;
  /** Processes ready to run, averaged over 1, 5 and 15 minutes. */
  readonly loadAverageBefore: readonly number[];
  /** The same at the end of the run; null while running. */
  readonly loadAverageAfter: readonly number[] | null;
  /**
   * Share of all CPU time that a hypervisor gave to other guests during the run,
   * 0 to 1; null while running and where it cannot be read.
   */
  readonly stolenCpuFraction: number | null;
  /** The same at the beginning of the run, as cells end, and at its end; absent while running. */
  readonly course?: readonly EnvironmentSample[];
  readonly nodeVersion: string;
  readonly v8Version: string;
  /** Name to version; null where a package was not found. */
  readonly packages: Readonly<Record<string, string | null>>;
  /** null outside a git checkout, or without git. */
  readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  /** What to change for a quieter measurement. */
  readonly advice: readonly string[];
  /** Largest resident set of the process, workers included, so far. */
  readonly peakResidentBytes: number;
}

/** How busy the machine was at a moment of the run. */
export interface EnvironmentSample {
  readonly secondsSinceStart: number;
  /** Processes ready to run, averaged over one minute. */
  readonly loadAverage: number;
  /** {@link Environment.stolenCpuFraction} since the sample before; null where it cannot be read. */
  readonly stolenCpuFraction: number | null;
}

/** The measuring instrument, measured. */
export interface Instrument {
  readonly clock: string;
  /** Smallest step seen between two readings: one reading's time, where that is longer. */
  readonly clockResolutionNanoseconds: number;
  /** Median time of one reading. */
  readonly clockReadNanoseconds: number;
  /** Median time to record one token; it is part of what streaming is charged with. */
  readonly recordingNanoseconds: number;
}

/** Checks an {@link Environment}. */
export const environment: Check<Environment> = object({
  cpuModel: string,
  logicalCores: number,
  cpuGovernor: nullable(string),
  memoryBytes: number,
  operatingSystem: string,
  busyCoresBefore: optional(number),
  loadAverageBefore: array(number),
  loadAverageAfter: nullable(array(number)),
  stolenCpuFraction: nullable(number),
  course: optional(
    array(
      object({
        secondsSinceStart: number,
        loadAverage: number,
        stolenCpuFraction: nullable(number),
      }),
    ),
  ),
  nodeVersion: string,
  v8Version: string,
  packages: dictionary(nullable(string)),
  git: nullable(object({ commit: string, dirty: boolean })),
  advice: array(string),
  peakResidentBytes: number,
});

/** Checks an {@link Instrument}. */
export const instrument: Check<Instrument> = object({
  clock: string,
  clockResolutionNanoseconds: number,
  clockReadNanoseconds: number,
  recordingNanoseconds: number,
});
