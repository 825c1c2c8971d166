import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";

/**
 * Whole cores that this process may use, ≥ 1: those that the system lets it run on, or fewer where
 * a control group of Linux limits its time, as containers do. A quota of 2.5 cores counts as 2: with
 * one thread more, all of them would stand still for a part of each period.
 *
 * @param root where `proc` and `sys` are; for tests
 * @param available cores that the process may run on; for tests
 */
export function usableCores(
  root: string = "/",
  available: number = availableParallelism(),
): number {
  return Math.max(1, Math.min(available, Math.floor(cpuQuota(root) ?? Infinity)));
}

/**
 * The CPU time per time that control groups leave to this process, in cores; undefined without a
 * limit, and where there are no such groups. Groups are nested, and the narrowest counts.
 */
export function cpuQuota(root: string): number | undefined {
  const groups = readText(join(root, "proc/self/cgroup")) ?? "";
  const quotas = groups.split("\n").flatMap((line) => {
    // "0::/user.slice" in version 2, "4:cpu,cpuacct:/docker/1f" in version 1
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) return [];
    if (controllers === "") return quotasOf(root, ["", "unified"], path, readQuota);
    const names = controllers.split(",");
    if (!names.includes("cpu")) return [];
    return quotasOf(root, [controllers, ...names], path, readOldQuota);
  });
  return quotas.length === 0 ? undefined : Math.min(...quotas);
}

/**
 * @param mounts below `sys/fs/cgroup`
 * @param path the process's group as the system knows it; a container sees its own as the root
 */
function quotasOf(
  root: string,
  mounts: readonly string[],
  path: string,
  read: (folder: string) => number | undefined,
): number[] {
  const steps = path.split("/").filter((step) => step !== "");
  const paths = [...steps.keys(), steps.length].map((depth) => steps.slice(0, depth).join("/"));
  return mounts.flatMap((mount) =>
    paths.flatMap((ancestor) => read(join(root, "sys/fs/cgroup", mount, ancestor)) ?? []),
  );
}

/** Version 2: "150000 100000", or "max 100000" without a limit. */
function readQuota(folder: string): number | undefined {
  const [quota, period] = (readText(join(folder, "cpu.max")) ?? "").trim().split(/\s+/);
  return ratio(quota, period);
}

/** Version 1: a file for each, and a quota of −1 without a limit. */
function readOldQuota(folder: string): number | undefined {
  const quota = readText(join(folder, "cpu.cfs_quota_us"));
  return ratio(quota, readText(join(folder, "cpu.cfs_period_us")));
}

function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const cores = Number(quota) / Number(period);
  return Number.isFinite(cores) && cores > 0 ? cores : undefined;
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
