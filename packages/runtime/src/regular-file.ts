import { readlink, stat } from "node:fs/promises";
import { StreamgaugeError, messageOf } from "@streamgauge/core";

/**
 * Whether there is a file that can be read to its end. A link counts as what it leads to.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND` for a link that leads nowhere, `MODEL_CORRUPT`
 *   for what is no file, as are folders, pipes and devices
 */
export async function hasFile(file: string): Promise<boolean> {
  let isFile: boolean;
  try {
    isFile = (await stat(file)).isFile();
  } catch (cause) {
    const target = await readlink(file).catch(() => undefined);
    if (target !== undefined) {
      throw new StreamgaugeError(
        "MODEL_NOT_FOUND",
        `${file} is a link to ${target}, where nothing can be read (${messageOf(cause)}). ` +
          `Download the model again, or copy it whole.`,
        { cause },
      );
    }
    if (isAbsence(cause)) return false;
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${file} is damaged: it cannot be read (${messageOf(cause)}). Build, copy or download it again.`,
      { cause },
    );
  }
  if (isFile) return true;
  // Reading a pipe or a device may never end.
  throw new StreamgaugeError(
    "MODEL_CORRUPT",
    `${file} is damaged: it is a folder, a pipe or a device, and not a file. Build, copy or ` +
      `download it again.`,
  );
}

/** Whether there is a folder; a link counts as what it leads to. */
export async function hasFolder(folder: string): Promise<boolean> {
  try {
    return (await stat(folder)).isDirectory();
  } catch {
    return false;
  }
}

const absences: ReadonlySet<unknown> = new Set(["ENOENT", "ENOTDIR", "ENAMETOOLONG"]);

function isAbsence(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && absences.has(cause.code);
}
