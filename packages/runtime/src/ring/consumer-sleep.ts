import { setImmediate as nextTurn } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import { consumerAsleepWord } from "./layout.js";
import type { RingOptions } from "./options.js";
import { announceSleep, sleepUnless } from "./sleep.js";

/** How a consumer's thread sleeps; all of it is called on that thread. */
export interface ConsumerSleep {
  /**
   * Sleeps until woken by either thread, unless there is work already. May return
   * early. The event loop is kept alive meanwhile.
   */
  unless(hasWork: () => boolean): Promise<void>;
  /** Ends a sleep from the consumer's own thread, whatever its word says. */
  wake(): void;
  /** Set where the event loop has had no turn for too long: to be awaited before going on. */
  dueTurn(): Promise<void> | undefined;
  /** Nothing will sleep any more. Repeating it does nothing. */
  close(): void;
}

/** What a consumer has to know to sleep. */
export interface ConsumerSleepOptions extends Required<
  Pick<RingOptions, "wait" | "spinMicroseconds">
> {
  /** The consumer's end of the channel whose other end is the producer's; only for "message". */
  readonly port: MessagePort | undefined;
}

export function createConsumerSleep(
  header: Int32Array,
  { wait, spinMicroseconds, port }: ConsumerSleepOptions,
): ConsumerSleep {
  if (port !== undefined) return new MessageSleep(header, port);
  return wait === "block"
    ? new BlockingSleep(header, spinMicroseconds / 1000)
    : new WaitAsyncSleep(header);
}

class WaitAsyncSleep implements ConsumerSleep {
  readonly #header: Int32Array;

  constructor(header: Int32Array) {
    this.#header = header;
  }

  unless(hasWork: () => boolean): Promise<void> {
    return sleepUnless(this.#header, consumerAsleepWord, hasWork);
  }

  wake(): void {
    Atomics.store(this.#header, consumerAsleepWord, 0);
    Atomics.notify(this.#header, consumerAsleepWord);
  }

  dueTurn(): undefined {}

  close(): void {}
}

/** The word says that a message is wanted; the message ends the sleep. */
class MessageSleep implements ConsumerSleep {
  readonly #header: Int32Array;
  readonly #port: MessagePort;
  #asleep: { readonly ended: Promise<void>; readonly end: () => void } | undefined;

  constructor(header: Int32Array, port: MessagePort) {
    this.#header = header;
    this.#port = port;
    // A message that comes after its sleep was ended otherwise finds nobody to wake.
    port.on("message", () => this.wake());
    // Listening would keep the process open; only a sleeper may.
    port.unref();
  }

  async unless(hasWork: () => boolean): Promise<void> {
    if (!announceSleep(this.#header, consumerAsleepWord, hasWork)) return;
    if (this.#asleep === undefined) {
      let end!: () => void;
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      this.#asleep = { ended, end };
      this.#port.ref();
    }
    await this.#asleep.ended;
  }

  wake(): void {
    if (this.#asleep === undefined) return;
    this.#asleep.end();
    this.#asleep = undefined;
    this.#port.unref();
  }

  dueTurn(): undefined {}

  close(): void {
    this.#port.close();
  }
}

/** Longest time that a blocking consumer keeps its event loop from a turn, in milliseconds. */
const sliceMilliseconds = 20;

class BlockingSleep implements ConsumerSleep {
  readonly #header: Int32Array;
  readonly #spinMilliseconds: number;
  #lastTurnMilliseconds = performance.now();

  constructor(header: Int32Array, spinMilliseconds: number) {
    this.#header = header;
    this.#spinMilliseconds = spinMilliseconds;
  }

  async unless(hasWork: () => boolean): Promise<void> {
    const now = performance.now();
    for (const until = now + this.#spinMilliseconds; performance.now() < until;) {
      if (hasWork()) return;
    }
    if (!announceSleep(this.#header, consumerAsleepWord, hasWork)) return;
    const left = Math.max(0, this.#lastTurnMilliseconds + sliceMilliseconds - now);
    if (Atomics.wait(this.#header, consumerAsleepWord, 1, left) !== "timed-out") return;
    Atomics.store(this.#header, consumerAsleepWord, 0);
    await this.#takeTurn();
  }

  /** Nobody on this thread runs while it sleeps, and after a turn it looks again by itself. */
  wake(): void {}

  dueTurn(): Promise<void> | undefined {
    const isDue = performance.now() - this.#lastTurnMilliseconds >= sliceMilliseconds;
    return isDue ? this.#takeTurn() : undefined;
  }

  close(): void {}

  async #takeTurn(): Promise<void> {
    await nextTurn();
    this.#lastTurnMilliseconds = performance.now();
  }
}
