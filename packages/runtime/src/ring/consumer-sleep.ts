import { setImmediate as nextTurn } from "node:timers/promises";
import type { MessagePort } from "node:worker_threads";
import { holdEventLoop, releaseEventLoop } from "../keep-alive.js";
import { consumerAsleepWord, sleepState, type SleepState } from "./layout.js";
import type { RingOptions } from "./options.js";
import { announceSleep } from "./sleep.js";
import { blockedWakeUp, tickerOf, wakeUpOfTurn, type Dozer, type Ticker } from "./ticker.js";

/** How a consumer's thread sleeps; all of it is called on that thread. */
export interface ConsumerSleep {
  /**
   * Sleeps until woken by either thread, unless there is work already; when dozing
   * for a limited time. May return early. The event loop is kept alive meanwhile.
   *
   * @returns the number of the wake-up that ended it, see `wakeUpOfTurn`; undefined
   *   where it did not sleep
   */
  unless(hasWork: () => boolean, state: SleepState): Promise<number | undefined>;
  /** Ends a sleep from the consumer's own thread, whatever its word says. */
  wake(): void;
  /** Set where the event loop has had no turn for too long: to be awaited before going on. */
  dueTurn(): Promise<void> | undefined;
  /** Nothing will sleep any more. Repeating it does nothing. */
  close(): void;
}

/** What a consumer has to know to sleep. */
export interface ConsumerSleepOptions extends Required<
  Pick<RingOptions, "wait" | "spinMicroseconds" | "maxDelayMilliseconds">
> {
  /** The consumer's end of the channel whose other end is the producer's; only for "message". */
  readonly port: MessagePort | undefined;
}

export function createConsumerSleep(
  header: Int32Array,
  { wait, spinMicroseconds, maxDelayMilliseconds, port }: ConsumerSleepOptions,
): ConsumerSleep {
  if (wait === "block") {
    return new BlockingSleep(header, spinMicroseconds / 1000, maxDelayMilliseconds);
  }
  const createBell = (onRing: () => void): Bell =>
    port === undefined ? new WaiterBell(header, onRing) : new MessageBell(port, onRing);
  return new AsynchronousSleep(header, createBell, maxDelayMilliseconds);
}

/**
 * What the other thread rings to end a sleep. It calls back for each ringing, also
 * for one that was meant for a sleep which has ended.
 */
interface Bell {
  /** Called after the word was set; false when it has been cleared again, and nobody will ring. */
  listen(state: SleepState): boolean;
  close(): void;
}

/**
 * Rings by `Atomics.notify`. A waiter outlives the doze that it was made for when
 * that ends by time, and serves the next sleep: there is one for each ringing.
 */
class WaiterBell implements Bell {
  readonly #header: Int32Array;
  readonly #onRing: () => void;
  #isListening = false;

  constructor(header: Int32Array, onRing: () => void) {
    this.#header = header;
    this.#onRing = onRing;
  }

  listen(state: SleepState): boolean {
    if (this.#isListening) return true;
    const { async, value } = Atomics.waitAsync(this.#header, consumerAsleepWord, state);
    if (!async) return false;
    this.#isListening = true;
    void value.then(() => {
      this.#isListening = false;
      this.#onRing();
    });
    return true;
  }

  close(): void {
    // The engine keeps a waiter, and the ring's memory with it, until it is notified.
    if (this.#isListening) Atomics.notify(this.#header, consumerAsleepWord);
  }
}

/** Rings by a message: the word says that one is wanted. */
class MessageBell implements Bell {
  readonly #port: MessagePort;

  constructor(port: MessagePort, onRing: () => void) {
    this.#port = port;
    port.on("message", onRing);
    // Listening would keep the process open; only a sleeper may.
    port.unref();
  }

  listen(): boolean {
    return true;
  }

  close(): void {
    this.#port.close();
  }
}

class AsynchronousSleep implements ConsumerSleep, Dozer {
  readonly #header: Int32Array;
  readonly #bell: Bell;
  /** Undefined where nobody dozes. */
  readonly #ticker: Ticker | undefined;
  #hasWork: (() => boolean) | undefined;
  #end: ((wakeUp: number) => void) | undefined;

  constructor(
    header: Int32Array,
    createBell: (onRing: () => void) => Bell,
    maxDelayMilliseconds: number,
  ) {
    this.#header = header;
    this.#bell = createBell(() => this.#endSleep());
    this.#ticker = maxDelayMilliseconds > 0 ? tickerOf(maxDelayMilliseconds) : undefined;
  }

  async unless(hasWork: () => boolean, state: SleepState): Promise<number | undefined> {
    if (!announceSleep(this.#header, consumerAsleepWord, state, hasWork)) return undefined;
    if (!this.#bell.listen(state)) return undefined;
    holdEventLoop();
    if (state === sleepState.dozing) {
      this.#hasWork = hasWork;
      this.#ticker?.join(this);
    }
    return await new Promise<number>((resolve) => {
      this.#end = resolve;
    });
  }

  hasWork(): boolean {
    return this.#hasWork?.() ?? false;
  }

  endDoze(wakeUp: number): void {
    // A producer need not ring for one who is awake.
    Atomics.store(this.#header, consumerAsleepWord, sleepState.awake);
    this.#endSleep(wakeUp);
  }

  wake(): void {
    this.#endSleep();
  }

  dueTurn(): undefined {}

  close(): void {
    this.#bell.close();
  }

  #endSleep(wakeUp?: number): void {
    const end = this.#end;
    // The bell rang for a sleep that was over.
    if (end === undefined) return;
    this.#end = undefined;
    if (this.#hasWork !== undefined) {
      this.#hasWork = undefined;
      this.#ticker?.leave(this);
    }
    releaseEventLoop();
    end(wakeUp ?? wakeUpOfTurn());
  }
}

/** Longest time that a blocking consumer keeps its event loop from a turn, in milliseconds. */
const sliceMilliseconds = 20;

class BlockingSleep implements ConsumerSleep {
  readonly #header: Int32Array;
  readonly #spinMilliseconds: number;
  readonly #maxDelayMilliseconds: number;
  #lastTurnMilliseconds = performance.now();

  constructor(header: Int32Array, spinMilliseconds: number, maxDelayMilliseconds: number) {
    this.#header = header;
    this.#spinMilliseconds = spinMilliseconds;
    this.#maxDelayMilliseconds = maxDelayMilliseconds;
  }

  async unless(hasWork: () => boolean, state: SleepState): Promise<number | undefined> {
    const now = performance.now();
    for (const until = now + this.#spinMilliseconds; performance.now() < until;) {
      if (hasWork()) return undefined;
    }
    if (!announceSleep(this.#header, consumerAsleepWord, state, hasWork)) return undefined;
    const sliceLeft = Math.max(0, this.#lastTurnMilliseconds + sliceMilliseconds - now);
    const dozeLeft = state === sleepState.dozing ? this.#maxDelayMilliseconds : Infinity;
    const limit = Math.min(sliceLeft, dozeLeft);
    if (Atomics.wait(this.#header, consumerAsleepWord, state, limit) === "timed-out") {
      Atomics.store(this.#header, consumerAsleepWord, sleepState.awake);
      if (sliceLeft <= dozeLeft) await this.#takeTurn();
    }
    return blockedWakeUp();
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
