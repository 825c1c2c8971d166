/**
 * Sleeping and waking across the ring. Each side has one word: 1 while it
 * sleeps, and also what it sleeps on. Waking costs a system call or a message,
 * so it is done only for a side that sleeps; a running side finds new state by
 * looking.
 *
 * No wake-up is lost: the sleeper sets its word and *then* looks for work; the
 * waker makes work visible and *then* looks at the word. `Atomics` are
 * sequentially consistent, so at least one of the two sees the other. If the
 * waker clears the word before the sleeper is down, the wait finds 0 and returns.
 *
 * @module
 */
import type { MessagePort } from "node:worker_threads";
import { holdEventLoop, releaseEventLoop } from "../keep-alive.js";

/**
 * Sleeps in `Atomics.waitAsync` until woken, unless there is something to do
 * already. May return early. Keeps the thread's event loop alive meanwhile,
 * which `Atomics.waitAsync` does not do by itself.
 */
export async function sleepUnless(
  header: Int32Array,
  word: number,
  hasWork: () => boolean,
): Promise<void> {
  if (!announceSleep(header, word, hasWork)) return;
  const { async, value } = Atomics.waitAsync(header, word, 1);
  if (!async) return;
  holdEventLoop();
  await value;
  releaseEventLoop();
}

/** Sets the word, then looks: false when there is work, and the word is 0 again. */
export function announceSleep(header: Int32Array, word: number, hasWork: () => boolean): boolean {
  Atomics.store(header, word, 1);
  if (!hasWork()) return true;
  Atomics.store(header, word, 0);
  return false;
}

/**
 * Wakes the side that sleeps on this word, if it does.
 *
 * @param port where a message wakes it; without one it waits on the word
 */
export function wake(header: Int32Array, word: number, port?: MessagePort): void {
  if (Atomics.load(header, word) !== 1) return;
  // Cleared first: the next waker has nothing to do, so a sleep ends by one message at most.
  Atomics.store(header, word, 0);
  if (port === undefined) Atomics.notify(header, word);
  else port.postMessage(null);
}
