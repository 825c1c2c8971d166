/**
 * What has reached the consumers of a runtime's streams, and how often their
 * thread was woken for it. `wakeUps / tokens` is what `ring.maxDelayMilliseconds` moderates.
 */
export interface Delivery {
  /** Tokens that streams have handed over; those of `generate()` do not come one by one. */
  readonly tokens: number;
  /**
   * How often the thread was woken while it waited for a token or an end. Streams
   * that were woken in one turn of its event loop count once; on Node before 20.18
   * and 22.8 only those that one tick of the thread's clock woke.
   */
  readonly wakeUps: number;
}

/** Keeps a {@link Delivery}. */
export class DeliveryCount {
  #tokens = 0;
  #wakeUps = 0;
  #lastWakeUp: number | undefined;

  addToken(): void {
    this.#tokens += 1;
  }

  /** @param wakeUp as told to `onWakeUp` of `createRing` */
  addWakeUp(wakeUp: number): void {
    if (wakeUp === this.#lastWakeUp) return;
    this.#lastWakeUp = wakeUp;
    this.#wakeUps += 1;
  }

  snapshot(): Delivery {
    return { tokens: this.#tokens, wakeUps: this.#wakeUps };
  }
}
