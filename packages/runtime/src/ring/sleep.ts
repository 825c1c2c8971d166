/**
 * Sleeping and waking across the ring. Each side has one word that says how it
 * sleeps, and it is also what the side sleeps on. Waking costs a system call or a
 * message, so it is done only for a side that sleeps; a running side finds new
 * state by looking.
 *
 * ```text
 *              no work, tokens come slowly
 *   awake (0) ────────────────────────────▶ asleep (1)   any news wakes it
 *    │  ▲  ▲                                 │
 *    │  │  └─────────────────────────────────┘
 *    │  │ urgent news, or the time is over
 *    │  └──────────────────────────── dozing (2)         urgent news wakes it
 *    └──────────────────────────────────▲
 *              no work, tokens come fast
 * ```
 *
 * No wake-up is lost: the sleeper sets its word and *then* looks for work; the
 * waker makes work visible and *then* looks at the word. `Atomics` are
 * sequentially consistent, so at least one of the two sees the other. If the
 * waker clears the word before the sleeper is down, the wait finds 0 and returns.
 * A doze ends by itself too, and whoever ends it looks for work once more before
 * it sleeps, so that news which were not urgent are late by its length at most.
 *
 * @module
 */
import type { MessagePort } from "node:worker_threads";
import { holdEventLoop, releaseEventLoop } from "../keep-alive.js";
import { sleepState, type SleepState } from "./layout.js";

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
  const { asleep } = sleepState;
  if (!announceSleep(header, word, asleep, hasWork)) return;
  const { async, value } = Atomics.waitAsync(header, word, asleep);
  if (!async) return;
  holdEventLoop();
  await value;
  releaseEventLoop();
}

/** Sets the word, then looks: false when there is work, and the word says "awake" again. */
export function announceSleep(
  header: Int32Array,
  word: number,
  state: SleepState,
  hasWork: () => boolean,
): boolean {
  Atomics.store(header, word, state);
  if (!hasWork()) return true;
  Atomics.store(header, word, sleepState.awake);
  return false;
}

/** What the waker has to know; see {@link wake}. */
export interface WakeOptions {
  /** Where a message wakes the sleeper; without one it waits on the word. */
  readonly port?: MessagePort | undefined;
  /** Asked only about a side that dozes; without it all news are urgent. */
  readonly isUrgent?: () => boolean;
}

/** Wakes the side that sleeps on this word, if it does, and if it wants to be woken for this. */
export function wake(
  header: Int32Array,
  word: number,
  { port, isUrgent = always }: WakeOptions = {},
): void {
  const state = Atomics.load(header, word);
  if (state === sleepState.awake || (state === sleepState.dozing && !isUrgent())) return;
  // Cleared first: the next waker has nothing to do, so a sleep ends by one message at most.
  Atomics.store(header, word, sleepState.awake);
  if (port === undefined) Atomics.notify(header, word);
  else port.postMessage(null);
}

const always = (): boolean => true;
