/**
 * Keeps a thread's event loop alive while something is awaited that does not do
 * so by itself: `Atomics.waitAsync`, or a worker that is being replaced. One
 * timer serves all of it on a thread, because making one for each sleep would
 * cost more than the rest of the sleep.
 *
 * @module
 */

let holders = 0;
let timer: NodeJS.Timeout | undefined;

/** The event loop stays alive until this many calls of {@link releaseEventLoop} have come. */
export function holdEventLoop(): void {
  holders += 1;
  if (holders > 1) return;
  timer ??= setInterval(() => undefined, longestTimerMilliseconds);
  timer.ref();
}

/** Ends one {@link holdEventLoop}. */
export function releaseEventLoop(): void {
  holders -= 1;
  if (holders === 0) timer?.unref();
}

const longestTimerMilliseconds = 2 ** 31 - 1;
