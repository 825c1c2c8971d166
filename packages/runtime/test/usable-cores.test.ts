import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { cpuQuota, usableCores } from "../src/threads/usable-cores.js";
import { temporaryFolder } from "./temporary-folder.js";

/** A folder that looks like the root of a Linux system, as far as control groups go. */
async function systemOf(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    const file = join(root, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return root;
}

const groups = "proc/self/cgroup";
const mount = "sys/fs/cgroup";

describe("the cores that a process may use", () => {
  it.each<[string, Record<string, string>, number | undefined]>([
    ["no control groups", {}, undefined],
    [
      "a group without a limit",
      { [groups]: "0::/\n", [`${mount}/cpu.max`]: "max 100000\n" },
      undefined,
    ],
    ["a container's limit", { [groups]: "0::/\n", [`${mount}/cpu.max`]: "250000 100000\n" }, 2.5],
    [
      "the narrowest of nested groups",
      {
        [groups]: "0::/user.slice/app.scope\n",
        [`${mount}/user.slice/cpu.max`]: "150000 100000\n",
        [`${mount}/user.slice/app.scope/cpu.max`]: "400000 100000\n",
      },
      1.5,
    ],
    [
      "a group of version 1, by one of its names",
      {
        [groups]: "9:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n",
        [`${mount}/cpu/docker/1f/cpu.cfs_quota_us`]: "300000\n",
        [`${mount}/cpu/docker/1f/cpu.cfs_period_us`]: "100000\n",
      },
      3,
    ],
    [
      "a group of version 1 that a container sees as the root",
      {
        [groups]: "4:cpu,cpuacct:/docker/1f\n",
        [`${mount}/cpu,cpuacct/cpu.cfs_quota_us`]: "50000\n",
        [`${mount}/cpu,cpuacct/cpu.cfs_period_us`]: "100000\n",
      },
      0.5,
    ],
    [
      "version 1 without a limit",
      {
        [groups]: "4:cpu:/\n",
        [`${mount}/cpu/cpu.cfs_quota_us`]: "-1\n",
        [`${mount}/cpu/cpu.cfs_period_us`]: "100000\n",
      },
      undefined,
    ],
    [
      "both versions side by side",
      {
        [groups]: "4:cpu:/\n0::/\n",
        [`${mount}/unified/cpu.max`]: "700000 100000\n",
        [`${mount}/cpu/cpu.cfs_quota_us`]: "600000\n",
        [`${mount}/cpu/cpu.cfs_period_us`]: "100000\n",
      },
      6,
    ],
    ["what is no number", { [groups]: "0::/\n", [`${mount}/cpu.max`]: "much of it\n" }, undefined],
    ["a file that is none of this", { [groups]: "what?\n0:\n::\n" }, undefined],
  ])("have the quota of %s", async (_, files, quota) => {
    expect(cpuQuota(await systemOf(files))).toBe(quota);
  });

  it("are whole, at least one, and no more than there are", async () => {
    const limitedTo = (quota: string): Promise<string> =>
      systemOf({ [groups]: "0::/\n", [`${mount}/cpu.max`]: `${quota} 100000\n` });
    expect(usableCores(await limitedTo("250000"), 8)).toBe(2);
    expect(usableCores(await limitedTo("50000"), 8)).toBe(1);
    expect(usableCores(await limitedTo("1600000"), 8)).toBe(8);
    expect(usableCores(await systemOf({}), 8)).toBe(8);
    expect(usableCores()).toBeGreaterThanOrEqual(1);
  });
});
