import { describe, expect, it } from "vitest";
import { adviseOnTheft, advise, parseCpuTicks, stolenFraction } from "../src/run/environment.js";

const stat = (line: string): string => `${line}\ncpu0 1 2 3 4 5 6 7 8 0 0\nintr 5\n`;

describe("stolen CPU time", () => {
  it("is read from the line of all cores, guests' time not counted twice", () => {
    expect(parseCpuTicks(stat("cpu  100 0 20 800 5 0 5 70 9 9"))).toEqual({
      stolen: 70,
      total: 1000,
    });
  });

  it.each(["", "cpu", "cpu  1 2 3", "cpu  a b c d e f g h", "something else"])(
    "is unknown where the file says %j",
    (line) => {
      expect(parseCpuTicks(line)).toBeNull();
    },
  );

  it("is a share of the time between two readings", () => {
    const before = { stolen: 10, total: 1000 };
    expect(stolenFraction(before, { stolen: 30, total: 1200 })).toBeCloseTo(0.1, 12);
    expect(stolenFraction(before, before)).toBeNull();
    expect(stolenFraction(null, before)).toBeNull();
  });

  it("is worth advice when it disturbs", () => {
    expect(adviseOnTheft(null)).toEqual([]);
    expect(adviseOnTheft(0.01)).toEqual([]);
    expect(adviseOnTheft(0.114)).toEqual([
      '11 % of the CPU time went to other guests of the host ("steal"): measure on a machine of your own',
    ]);
  });
});

describe("advice before a run", () => {
  const quiet = {
    cpuGovernor: "performance",
    git: { commit: "c", dirty: false },
    busyCoresBefore: 0.1,
    logicalCores: 4,
  };

  it("is silent on a quiet machine", () => {
    expect(advise(quiet)).toEqual([]);
    expect(advise({ ...quiet, cpuGovernor: null, git: null })).toEqual([]);
  });

  it.each([
    [{ busyCoresBefore: 1.94 }, /1.9 of 4 cores were busy before the start: close other work/],
    [{ logicalCores: 1 }, /one core/],
    [{ cpuGovernor: "powersave" }, /"powersave".*set it to "performance"/],
    [{ git: { commit: "c", dirty: true } }, /uncommitted changes/],
  ])("names what disturbs: %o", (change, message) => {
    expect(advise({ ...quiet, ...change })).toEqual([expect.stringMatching(message)]);
  });
});
