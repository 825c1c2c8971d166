import { cpus } from "node:os";
import { setTimeout as pause } from "node:timers/promises";

/** CPU time since boot over all cores, in milliseconds. */
export interface CpuTime {
  readonly busyMilliseconds: number;
  readonly totalMilliseconds: number;
}

/** Reads the machine, and lets time pass. Tests inject their own. */
export interface MachineWatch {
  readonly cores: number;
  read(): CpuTime;
  pause(milliseconds: number): Promise<void>;
}

/** This machine, on any operating system. */
export const thisMachine: MachineWatch = {
  cores: cpus().length,
  read: readCpuTime,
  pause: (milliseconds) => pause(milliseconds),
};

/** Busy cores from which on other work disturbs a measurement; more of them where there are many. */
export function disturbingCores(cores: number): number {
  return Math.max(0.3, cores / 10);
}

/** Long against a scheduler's tick, and short against the run. */
const windowMilliseconds = 500;

/** Where the waiting is. */
export interface Waiting {
  readonly busyCores: number;
  readonly cores: number;
  /** At most, from now. */
  readonly secondsLeft: number;
}

/**
 * How many cores worked while this process did nothing. It looks at the CPU time of a short window:
 * a load average remembers for minutes what a build did before.
 */
export async function measureBusyCores(machine: MachineWatch = thisMachine): Promise<number> {
  const before = machine.read();
  await machine.pause(windowMilliseconds);
  return busyCoresBetween(before, machine.read(), machine.cores);
}

/**
 * Waits until other work has died down: that of the build before a run, above all.
 *
 * @param longestSeconds it goes on after so long in any case; 0 does not wait
 * @param report told of each window in which the machine was busy
 * @returns the seconds that were waited
 */
export async function waitUntilQuiet(
  longestSeconds: number,
  report: (waiting: Waiting) => void,
  signal?: AbortSignal,
  machine: MachineWatch = thisMachine,
): Promise<number> {
  const { cores } = machine;
  const windows = Math.floor((longestSeconds * 1000) / windowMilliseconds);
  for (let window = 0; window < windows; window += 1) {
    const waitedSeconds = (window * windowMilliseconds) / 1000;
    if (signal?.aborted === true) return waitedSeconds;
    const busyCores = await measureBusyCores(machine);
    if (busyCores < disturbingCores(cores)) return waitedSeconds;
    const secondsLeft = longestSeconds - waitedSeconds - windowMilliseconds / 1000;
    report({ busyCores, cores, secondsLeft });
  }
  return longestSeconds;
}

/** 0 where no time has passed. */
export function busyCoresBetween(before: CpuTime, after: CpuTime, cores: number): number {
  const total = after.totalMilliseconds - before.totalMilliseconds;
  if (total <= 0) return 0;
  return (cores * (after.busyMilliseconds - before.busyMilliseconds)) / total;
}

function readCpuTime(): CpuTime {
  let busyMilliseconds = 0;
  let totalMilliseconds = 0;
  for (const { times } of cpus()) {
    const total = times.user + times.nice + times.sys + times.irq + times.idle;
    totalMilliseconds += total;
    busyMilliseconds += total - times.idle;
  }
  return { busyMilliseconds, totalMilliseconds };
}
