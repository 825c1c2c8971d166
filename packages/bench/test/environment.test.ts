import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  adviseOnTheft,
  advise,
  describeGit,
  parseCpuTicks,
  stolenFraction,
} from "../src/run/environment.js";
import { inTemporaryFolder } from "./example-record.js";

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

describe("the commit that was measured", () => {
  it("is what was measured, also beside records of runs before", async () => {
    await inTemporaryFolder(async (folder) => {
      const git = (...words: string[]): string =>
        execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...words], {
          cwd: folder,
          encoding: "utf8",
        });
      git("init", "-q");
      git("commit", "-q", "--allow-empty", "-m", "first");
      const commit = git("rev-parse", "HEAD").trim();
      mkdirSync(join(folder, "results/mine"), { recursive: true });
      mkdirSync(join(folder, "part/results"), { recursive: true });
      for (const where of ["results/mine", "part/results"]) {
        writeFileSync(join(folder, where, "record.json"), "{}");
      }
      expect(await describeGit(join(folder, "part"))).toEqual({ commit, dirty: false });
      writeFileSync(join(folder, "part/code.js"), "");
      expect(await describeGit(join(folder, "part"))).toEqual({ commit, dirty: true });
    });
  });

  it("is unknown where there is no repository", async () => {
    await inTemporaryFolder(async (folder) => {
      expect(await describeGit(folder)).toBeNull();
    });
  });
});
