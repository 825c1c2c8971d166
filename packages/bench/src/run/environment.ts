import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { promisify } from "node:util";
import { disturbingCores, measureBusyCores } from "./busyness.js";
import { findInstalled } from "../plan/installed-package.js";
import type { Environment, EnvironmentSample } from "../record/index.js";

const execute = promisify(execFile);

/** Packages whose versions belong to a result. */
const measuredPackages = [
  "@streamgauge/core",
  "@streamgauge/runtime",
  "@streamgauge/bench",
  "onnxruntime-node",
  "piscina",
  "comlink",
] as const;

/** A share of stolen CPU time from which on it shows in the results. */
const disturbingTheft = 0.02;

/** A machine under observation, from the beginning of a run to its end. */
export interface EnvironmentWatch {
  /** At the beginning. */
  readonly environment: Environment;
  /** Looks at the machine once more; for what {@link conclude} says of the run's course. */
  sample(): Promise<void>;
  /** The environment, with what is known at the end of a run. */
  conclude(): Promise<Environment>;
}

/** Begins to watch this machine. What cannot be read is null, never an error. */
export async function watchEnvironment(): Promise<EnvironmentWatch> {
  // What others do to the machine while the bench does nothing.
  const busyCoresBefore = await measureBusyCores();
  const environment = await describeEnvironment(busyCoresBefore);
  const startMilliseconds = performance.now();
  let last = await readCpuTicks();
  const course: EnvironmentSample[] = [];
  const sample = async (): Promise<void> => {
    const now = await readCpuTicks();
    course.push({
      secondsSinceStart: Math.round((performance.now() - startMilliseconds) / 100) / 10,
      loadAverage: loadavg()[0] ?? 0,
      stolenCpuFraction: stolenFraction(last, now),
    });
    last = now;
  };
  await sample();
  const before = last;
  return {
    environment,
    sample,
    async conclude() {
      await sample();
      const stolenCpuFraction = stolenFraction(before, last);
      return {
        ...environment,
        course,
        loadAverageAfter: loadavg(),
        stolenCpuFraction,
        advice: [...environment.advice, ...adviseOnTheft(stolenCpuFraction)],
        peakResidentBytes: peakResidentBytes(),
      };
    },
  };
}

/** An environment that others watch: it stays as it is. */
export function watchNothing(environment: Environment): EnvironmentWatch {
  return {
    environment,
    sample: () => Promise.resolve(),
    conclude: () => Promise.resolve(environment),
  };
}

async function describeEnvironment(busyCoresBefore: number): Promise<Environment> {
  const cpuGovernor = await readGovernor();
  const git = await describeGit(process.cwd());
  const logicalCores = availableParallelism();
  return {
    cpuModel: cpus()[0]?.model.trim() ?? "unknown",
    logicalCores,
    cpuGovernor,
    memoryBytes: totalmem(),
    operatingSystem: `${type()} ${release()} ${process.arch}`,
    busyCoresBefore: Math.round(busyCoresBefore * 100) / 100,
    loadAverageBefore: loadavg(),
    loadAverageAfter: null,
    stolenCpuFraction: null,
    nodeVersion: process.versions.node,
    v8Version: process.versions.v8,
    packages: Object.fromEntries(
      await Promise.all(
        measuredPackages.map(async (name) => [name, await readVersion(name)] as const),
      ),
    ),
    git,
    advice: advise({ cpuGovernor, git, busyCoresBefore, logicalCores }),
    peakResidentBytes: peakResidentBytes(),
  };
}

/** What about an environment disturbs a measurement, and what to do about it. */
export function advise(
  environment: Pick<Environment, "cpuGovernor" | "git" | "busyCoresBefore" | "logicalCores">,
): string[] {
  const { cpuGovernor, git, busyCoresBefore = 0, logicalCores } = environment;
  const advice: string[] = [];
  if (busyCoresBefore >= disturbingCores(logicalCores)) {
    const busy = busyCoresBefore.toFixed(1);
    advice.push(`${busy} of ${logicalCores} cores were busy before the start: close other work`);
  }
  if (logicalCores < 2) {
    advice.push("one core: the worker and the consumer take turns on it; use a machine with two");
  }
  if (cpuGovernor !== null && cpuGovernor !== "performance") {
    advice.push(`CPU governor "${cpuGovernor}" changes the clock rate: set it to "performance"`);
  }
  if (git?.dirty === true) {
    advice.push("uncommitted changes: commit them, so that the record names what was measured");
  }
  return advice;
}

/** Advice on CPU time that a hypervisor gave to its other guests. */
export function adviseOnTheft(stolenCpuFraction: number | null): string[] {
  if (stolenCpuFraction === null || stolenCpuFraction < disturbingTheft) return [];
  return [
    `${(stolenCpuFraction * 100).toFixed(0)} % of the CPU time went to other guests of the host ` +
      `("steal"): measure on a machine of your own`,
  ];
}

/** CPU time since boot, in ticks, over all cores. */
export interface CpuTicks {
  readonly stolen: number;
  readonly total: number;
}

/**
 * Reads the first line of Linux's `/proc/stat`: user, nice, system, idle, iowait,
 * irq, softirq and steal (proc(5)); what follows is part of user and nice.
 */
export function parseCpuTicks(stat: string): CpuTicks | null {
  const ticks = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(" ").slice(0, 8).map(Number) ?? [];
  const stolen = ticks[7];
  if (stolen === undefined || ticks.some(Number.isNaN)) return null;
  return { stolen, total: ticks.reduce((sum, value) => sum + value, 0) };
}

/** Stolen time as a share of all CPU time between two readings, idle time included. */
export function stolenFraction(before: CpuTicks | null, after: CpuTicks | null): number | null {
  if (before === null || after === null || after.total <= before.total) return null;
  return (after.stolen - before.stolen) / (after.total - before.total);
}

async function readCpuTicks(): Promise<CpuTicks | null> {
  try {
    return parseCpuTicks(await readFile("/proc/stat", "utf8"));
  } catch {
    return null;
  }
}

function peakResidentBytes(): number {
  // Node gives kibibytes on every platform.
  return process.resourceUsage().maxRSS * 1024;
}

async function readGovernor(): Promise<string | null> {
  try {
    const path = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
    return (await readFile(path, "utf8")).trim();
  } catch {
    return null;
  }
}

/** Records of other runs are no change of what is measured: those in `results/` do not count. */
const allButResults = [":(top)", ":(top,exclude)results", ":(exclude)results"];

/** The commit that the folder is at, and whether anything but records differs from it; null without git. */
export async function describeGit(folder: string): Promise<Environment["git"]> {
  const run = async (...words: string[]): Promise<{ stdout: string }> =>
    await execute("git", words, { cwd: folder });
  try {
    const { stdout: commit } = await run("rev-parse", "HEAD");
    const { stdout: changes } = await run("status", "--porcelain", "--", ...allButResults);
    return { commit: commit.trim(), dirty: changes.trim() !== "" };
  } catch {
    return null;
  }
}

/** Looks where the runtime would look: its dependencies are not visible from here. */
async function readVersion(name: string): Promise<string | null> {
  for (const from of ["@streamgauge/bench/package.json", "@streamgauge/runtime/package.json"]) {
    const installed = await findInstalled(name, from);
    if (installed !== null) return installed.version;
  }
  return null;
}
