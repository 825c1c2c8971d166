import { describe, expect, it } from "vitest";
import {
  busyCoresBetween,
  disturbingCores,
  measureBusyCores,
  waitUntilQuiet,
  type MachineWatch,
  type Waiting,
} from "../src/run/busyness.js";

/** A machine of two cores that is as busy in each window as it is told; the last goes on. */
function machineOf(...busyCores: number[]): MachineWatch & { pausedMilliseconds: number } {
  let window = 0;
  const now = { busyMilliseconds: 0, totalMilliseconds: 0 };
  return {
    cores: 2,
    pausedMilliseconds: 0,
    read: () => ({ ...now }),
    pause(milliseconds) {
      const busy = busyCores[Math.min(window, busyCores.length - 1)] ?? 0;
      now.busyMilliseconds += busy * milliseconds;
      now.totalMilliseconds += 2 * milliseconds;
      this.pausedMilliseconds += milliseconds;
      window += 1;
      return Promise.resolve();
    },
  };
}

async function wait(longestSeconds: number, machine: MachineWatch, signal?: AbortSignal) {
  const told: Waiting[] = [];
  const seconds = await waitUntilQuiet(longestSeconds, (at) => void told.push(at), signal, machine);
  return { seconds, told };
}

describe("waiting for other work to end", () => {
  it("goes on at once on a quiet machine, and says nothing", async () => {
    expect(await wait(30, machineOf(0.1))).toEqual({ seconds: 0, told: [] });
  });

  it("waits while a build is busy, and says how busy the machine is", async () => {
    const { seconds, told } = await wait(30, machineOf(2, 1.5, 0.6, 0.2));
    expect(seconds).toBe(1.5);
    expect(told).toEqual([
      { busyCores: 2, cores: 2, secondsLeft: 29.5 },
      { busyCores: 1.5, cores: 2, secondsLeft: 29 },
      { busyCores: 0.6, cores: 2, secondsLeft: 28.5 },
    ]);
  });

  it("goes on after the longest wait, whatever the machine does", async () => {
    const machine = machineOf(2);
    const { seconds, told } = await wait(5, machine);
    expect(seconds).toBe(5);
    expect(machine.pausedMilliseconds).toBe(5000);
    expect(told.at(-1)?.secondsLeft).toBe(0);
  });

  it("does not wait when nobody asks for it, or when it is interrupted", async () => {
    const machine = machineOf(2);
    expect(await wait(0, machine)).toEqual({ seconds: 0, told: [] });
    expect(await wait(30, machine, AbortSignal.abort())).toEqual({ seconds: 0, told: [] });
    expect(machine.pausedMilliseconds).toBe(0);
  });
});

describe("busy cores", () => {
  it("are the share of the time of all of them", async () => {
    expect(await measureBusyCores(machineOf(1.25))).toBe(1.25);
    const time = { busyMilliseconds: 5, totalMilliseconds: 10 };
    expect(busyCoresBetween(time, time, 2)).toBe(0);
  });

  it("disturb where they are a part of all cores that shows", () => {
    expect(disturbingCores(2)).toBe(0.3);
    expect(disturbingCores(64)).toBe(6.4);
  });
});
