import { StreamgaugeError, isStreamgaugeError, messageOf } from "@streamgauge/core";

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: make room",
  EDQUOT: "Your quota is used up: make room",
  EFBIG: "The file system takes no file of this size: choose another cache by --cache",
  EACCES: "You may not write there: change that, or choose another cache by --cache",
  EPERM: "You may not write there: change that, or choose another cache by --cache",
  EROFS: "It cannot be written to: choose another cache by --cache",
};

/** What the file system refused while a model was pulled, with the remedy. */
export function cacheFailure(file: string, cause: unknown): StreamgaugeError {
  if (isStreamgaugeError(cause)) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const remedy = remedies[code] ?? "Look at that place";
  return new StreamgaugeError(
    "CACHE_FAILED",
    `${file} cannot be written (${messageOf(cause)}). ${remedy}, and pull again: what has arrived ` +
      `is kept, and the pull goes on from there.`,
    { cause },
  );
}

/**
 * @returns what the work returns
 * @throws StreamgaugeError `CACHE_FAILED` for what the file system throws; others as they are
 */
export async function inCache<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw cacheFailure(file, cause);
  }
}
