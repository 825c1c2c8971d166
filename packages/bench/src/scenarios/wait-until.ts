import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../plan/clock.js";

/**
 * Resolves when the clock has reached a moment, or when the signal is aborted,
 * whichever is first; never rejects.
 */
export type WaitUntil = (
  dueNanoseconds: number,
  clock: Clock,
  signal?: AbortSignal,
) => Promise<void>;

/** A timer counts whole milliseconds, and fires late rather than early. */
const timerSlackNanoseconds = 1.5e6;

/**
 * Sleeps on a timer and takes turns of the event loop for the last moments. Both
 * leave the thread to whatever else there is to do, so that this can end late;
 * the clock says how late.
 */
export const waitUntil: WaitUntil = async (dueNanoseconds, clock, signal) => {
  const isAborted = (): boolean => signal?.aborted === true;
  while (!isAborted()) {
    const leftNanoseconds = dueNanoseconds - clock.nowNanoseconds();
    if (leftNanoseconds <= 0) return;
    if (leftNanoseconds <= timerSlackNanoseconds) {
      await nextTurn();
    } else {
      const milliseconds = Math.ceil((leftNanoseconds - timerSlackNanoseconds) / 1e6);
      // Rejects when aborted, which the loop sees.
      await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
    }
  }
};
