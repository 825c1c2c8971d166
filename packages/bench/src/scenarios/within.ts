import { StreamgaugeError } from "@streamgauge/core";

/**
 * Rejects when a run goes on for so long that its end must have been lost.
 *
 * @param what runs, for the error
 * @throws StreamgaugeError `OUTPUT_MISMATCH` then, otherwise what the run throws
 */
export async function within<T>(
  what: string,
  limitMilliseconds: number,
  run: Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const problem = `${what} are not delivered after ${limitMilliseconds} ms`;
      reject(
        new StreamgaugeError("OUTPUT_MISMATCH", `${problem}: some of them, or the end, are lost.`),
      );
    }, limitMilliseconds);
  });
  return await Promise.race([run, late]).finally(() => clearTimeout(timer));
}
