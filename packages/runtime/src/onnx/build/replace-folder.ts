import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

import { StreamgaugeError, invalidOption } from "@streamgauge/core";

/**
 * Fills a new folder beside `out`, then puts it in the place of `out`, so that
 * `out` is complete or untouched whatever happens.
 *
 * @param ours the only entries an existing `out` may have: it is deleted, and
 *   could be a home folder by a slip of the pen
 * @throws StreamgaugeError `INVALID_OPTION` when `out` holds anything else or is no folder
 */
export async function replaceFolder(
  out: string,
  ours: readonly string[],
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const target = resolve(out);
  await checkReplaceable(target, out, ours);
  await mkdir(dirname(target), { recursive: true });
  // On the same file system, where renaming is one step.
  const workshop = await mkdtemp(join(dirname(target), `.${basename(target)}-`));
  try {
    const folder = join(workshop, "new");
    await mkdir(folder);
    await fill(folder);
    // A folder cannot be renamed onto one that is not empty: the old one steps aside first.
    const old = join(workshop, "old");
    const replaced = await moved(target, old);
    try {
      await rename(folder, target);
    } catch (error) {
      if (replaced) await rename(old, target);
      throw error;
    }
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function checkReplaceable(
  target: string,
  out: string,
  ours: readonly string[],
): Promise<void> {
  let entries: string[];
  try {
    entries = await readdir(target);
  } catch (cause) {
    if (isMissing(cause)) return;
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `out: ${out} is not a folder that can be read. Choose another.`,
      { cause },
    );
  }
  const foreign = entries.find((entry) => !ours.includes(entry));
  if (foreign === undefined) return;
  throw invalidOption(
    `out: ${out} holds ${foreign}, which no build has put there. Choose an empty or a new folder.`,
  );
}

async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether a file operation failed because there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
