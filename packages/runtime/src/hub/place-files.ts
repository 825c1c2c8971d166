import { copyFile, link, mkdir, realpath, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { inCache } from "./cache-failure.js";
import { isMissing } from "../onnx/build/replace-folder.js";

/** How a file of a snapshot comes to be there; {@link linkOrCopy} is what people get. */
export type Placing = (blob: string, target: string) => Promise<void>;

/**
 * Puts a blob where a snapshot has the file, in one step: whoever reads finds what was there
 * before, or the whole file.
 *
 * @throws StreamgaugeError `CACHE_FAILED`
 */
export async function placeFile(
  blob: string,
  target: string,
  place: Placing = linkOrCopy,
): Promise<void> {
  await inCache(target, async () => {
    if (await isSame(blob, target)) return;
    await mkdir(dirname(target), { recursive: true });
    await replaceBy(target, (made) => place(blob, made));
  });
}

/** Says which commit a revision was, in one step. */
export async function writeRef(
  repository: string,
  revision: string,
  commit: string,
): Promise<void> {
  const target = join(repository, "refs", ...revision.split("/"));
  await inCache(target, async () => {
    await mkdir(dirname(target), { recursive: true });
    await replaceBy(target, (made) => writeFile(made, commit));
  });
}

/** A relative link, so that the cache can be moved. Windows allows links to few, and disks to few systems. */
export async function linkOrCopy(blob: string, target: string): Promise<void> {
  await symlink(relative(dirname(target), blob), target)
    .catch(() => link(blob, target))
    .catch(() => copyFile(blob, target));
}

async function replaceBy(target: string, make: (path: string) => Promise<void>): Promise<void> {
  const made = `${target}.${process.pid}.incomplete`;
  await rm(made, { force: true });
  try {
    await make(made);
    await rename(made, target);
  } finally {
    await rm(made, { force: true });
  }
}

async function isSame(blob: string, target: string): Promise<boolean> {
  try {
    return (await realpath(blob)) === (await realpath(target));
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
