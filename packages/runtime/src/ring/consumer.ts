import type { StopReason, StreamToken, TokenLedger } from "@streamgauge/core";
import {
  createConsumerSleep,
  type ConsumerSleep,
  type ConsumerSleepOptions,
} from "./consumer-sleep.js";
import {
  continuedFlag,
  endings,
  endOfSequenceFlag,
  flagsField,
  headWord,
  heldField,
  idField,
  indexField,
  logprobField,
  producedAtField,
  producerAsleepWord,
  producerState,
  producerStateWord,
  sleepState,
  slotDoubles,
  slotFloats,
  slotHalves,
  slotWords,
  stopReasons,
  stopWord,
  tailWord,
  textField,
  topLogprobsShift,
  unitsField,
  viewRing,
  type RingMemory,
  type RingViews,
  type SleepState,
} from "./layout.js";
import { wake } from "./sleep.js";
import { decodeTopLogprobs, unitsPerTopLogprob } from "./top-logprobs.js";

/** How the producer of a ring ended; see {@link RingConsumer.ending}. */
export type RingEnding = (typeof endings)[number];

/**
 * The reading end of a ring. It belongs to one thread, the one that asked for
 * the tokens; nobody else writes TAIL or the stop word.
 */
export class RingConsumer {
  readonly #views: RingViews;
  readonly #capacity: number;
  readonly #sleep: ConsumerSleep;
  /** Added to the producer's time stamps to get this thread's clock. */
  readonly #clockOffsetMilliseconds: number;
  #tail = 0;
  #releasedTail = 0;
  /** HEAD as last seen: the true one may be ahead, never behind. */
  #headSeen = 0;
  /** Code units of a token whose last slot has not come yet. */
  #unitsSoFar = "";
  #stopReason: StopReason | undefined;
  readonly #maxDelayMilliseconds: number;
  readonly #onWakeUp: (wakeUp: number) => void;
  /** When the last token was made, on the producer's clock; undefined before the first. */
  #producedAtMilliseconds: number | undefined;
  /** After how many more slow tokens it still dozes; see {@link #notePace}. */
  #dozesLeft = 0;
  /** When the last sleep in {@link wait} ended; kept only with a ledger. */
  #wokenAtMilliseconds = -Infinity;

  /** Made by `createRing`, which also says what the parameters are. */
  constructor(
    memory: RingMemory,
    sleep: ConsumerSleepOptions,
    clockOffsetMilliseconds: number,
    onWakeUp: (wakeUp: number) => void = () => undefined,
  ) {
    this.#views = viewRing(memory);
    this.#capacity = memory.capacity;
    this.#sleep = createConsumerSleep(this.#views.header, sleep);
    this.#maxDelayMilliseconds = sleep.maxDelayMilliseconds;
    this.#clockOffsetMilliseconds = clockOffsetMilliseconds;
    this.#onWakeUp = onWakeUp;
  }

  /** The reason given to the first {@link stop}, if any. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /**
   * How the producer ended, once it has. "complete" says that every token it had
   * is in the ring or was; after "failed" and "lost" there should have been more,
   * and what is there is in order; after "withdrawn" there is none.
   */
  get ending(): RingEnding | undefined {
    return endings[Atomics.load(this.#views.header, producerStateWord) - producerState.complete];
  }

  /** The next token if all of it is here. Never waits. */
  poll(): StreamToken | undefined {
    if (this.#stopReason !== undefined) return undefined;
    while (this.#hasSlot()) {
      const token = this.#readSlot();
      if (token !== undefined) return token;
    }
    return undefined;
  }

  /**
   * Resolves true when there is a slot to read, false when no more will come. It
   * is bounded by the producer: every publication and every end resolves it, and
   * so do {@link stop}, {@link withdraw} and {@link declareLost} on this thread.
   * While it is pending it keeps the thread's event loop alive. One call at a time.
   *
   * A publication resolves it at once, or at the end of a doze; see
   * `RingOptions.maxDelayMilliseconds`. Everything else resolves it at once.
   */
  async wait(): Promise<boolean> {
    const dueTurn = this.#sleep.dueTurn();
    if (dueTurn !== undefined) await dueTurn;
    const isOver = (): boolean =>
      this.#stopReason !== undefined ||
      Atomics.load(this.#views.header, producerStateWord) > producerState.running;
    const hasWork = (): boolean => this.#hasSlot() || isOver();
    // A doze that found nothing is not repeated: the next token wakes at once.
    let state: SleepState = this.#dozesLeft > 0 ? sleepState.dozing : sleepState.asleep;
    while (!hasWork()) {
      const wakeUp = await this.#sleep.unless(hasWork, state);
      state = sleepState.asleep;
      if (wakeUp !== undefined) this.#onWakeUp(wakeUp);
      // Before looking: a slot published after this reading did not need the waking.
      if (this.#views.floats !== undefined) this.#wokenAtMilliseconds = performance.now();
    }
    // Slots published just before the end are seen by looking again after it.
    const hasMore = this.#stopReason === undefined && this.#hasSlot();
    if (!hasMore) this.#sleep.close();
    return hasMore;
  }

  /** Tells the producer to stop and drops what was not polled. */
  stop(reason: StopReason): void {
    if (this.#stopReason !== undefined) return;
    this.#stopReason = reason;
    Atomics.store(this.#views.header, stopWord, 1 + stopReasons.indexOf(reason));
    wake(this.#views.header, producerAsleepWord);
    this.#endSleep();
  }

  /** Takes a generation back that no producer has claimed. True when it worked. */
  withdraw(): boolean {
    const isOurs = this.#exchangeState("queued", "withdrawn");
    if (isOurs) this.#endSleep();
    return isOurs;
  }

  /**
   * To be called when the thread of the producer is gone: a producer that had not
   * ended by itself ends as "lost". {@link wait} returns whatever the producer was
   * doing when it died, even if that was waking us.
   */
  declareLost(): void {
    // In this order a claim in between is caught by the second exchange.
    if (!this.#exchangeState("queued", "lost")) this.#exchangeState("running", "lost");
    this.#endSleep();
  }

  /**
   * Blocks this thread until the producer has ended or the time is over; for the
   * last moments of a process, when nothing asynchronous runs any more.
   */
  blockUntilEnded(timeoutMilliseconds: number): void {
    const { header } = this.#views;
    Atomics.wait(header, producerStateWord, producerState.running, timeoutMilliseconds);
  }

  /**
   * It dozes after a token that was made within the longest delay of the one before,
   * and after one that was not, if it is the first such: a step that was held up does
   * not make a model slow. After a stream's first token it is presumed. It is the
   * producer's pace that counts: a consumer that reads late, or is told late, sees
   * tokens closer together or further apart. Those that do not say when they were
   * made wake at once.
   */
  #notePace(producedAtMilliseconds: number): void {
    const longest = this.#maxDelayMilliseconds;
    const before = this.#producedAtMilliseconds;
    this.#producedAtMilliseconds = producedAtMilliseconds;
    if (longest === 0 || Number.isNaN(producedAtMilliseconds)) this.#dozesLeft = 0;
    else if (before === undefined) this.#dozesLeft = 1;
    else if (producedAtMilliseconds - before < longest) this.#dozesLeft = 2;
    else this.#dozesLeft = Math.max(0, this.#dozesLeft - 1);
  }

  #endSleep(): void {
    this.#sleep.wake();
    this.#sleep.close();
  }

  #exchangeState(from: keyof typeof producerState, to: keyof typeof producerState): boolean {
    const { [from]: expected, [to]: replacement } = producerState;
    const { header } = this.#views;
    return Atomics.compareExchange(header, producerStateWord, expected, replacement) === expected;
  }

  #hasSlot(): boolean {
    if (this.#tail !== this.#headSeen) return true;
    // Everything seen so far is read: give it back in one store, then look for more.
    this.#release();
    this.#headSeen = Atomics.load(this.#views.header, headWord);
    return this.#tail !== this.#headSeen;
  }

  #readSlot(): StreamToken | undefined {
    const { words, halves, doubles, floats } = this.#views;
    const slot = this.#tail & (this.#capacity - 1);
    const half = slot * slotHalves;
    const flags = halves[half + flagsField] ?? 0;
    const end = half + textField + (halves[half + unitsField] ?? 0);
    let units = this.#unitsSoFar;
    for (let unit = half + textField; unit < end; unit++) {
      units += String.fromCharCode(halves[unit] ?? 0);
    }
    const slotLogprob = doubles[slot * slotDoubles + logprobField] ?? Number.NaN;
    const producedAt = doubles[slot * slotDoubles + producedAtField] ?? Number.NaN;
    const held = floats?.[slot * slotFloats + heldField] ?? Number.NaN;
    const id = words[slot * slotWords + idField] ?? 0;
    const index = words[slot * slotWords + indexField] ?? 0;
    this.#tail = (this.#tail + 1) | 0;
    // A consumer that is slow with a full ring gives room back before it is empty.
    if (((this.#tail - this.#releasedTail) | 0) * 2 >= this.#capacity) this.#release();
    if ((flags & continuedFlag) !== 0) {
      this.#unitsSoFar = units;
      return undefined;
    }
    this.#unitsSoFar = "";
    this.#notePace(producedAt);
    const topLogprobsUnits = (flags >> topLogprobsShift) * unitsPerTopLogprob;
    const text = topLogprobsUnits === 0 ? units : units.slice(0, -topLogprobsUnits);
    const endOfSequence = (flags & endOfSequenceFlag) !== 0;
    const logprob = Number.isNaN(slotLogprob) ? undefined : slotLogprob;
    const producedAtMilliseconds = Number.isNaN(producedAt)
      ? undefined
      : producedAt + this.#clockOffsetMilliseconds;
    // Two literals, because spreading one into the other costs a microsecond.
    const token: StreamToken = Number.isNaN(held)
      ? { index, id, text, endOfSequence, logprob, producedAtMilliseconds }
      : {
          index,
          id,
          text,
          endOfSequence,
          logprob,
          producedAtMilliseconds,
          ledger: this.#ledger(producedAt + held),
        };
    if (topLogprobsUnits === 0) return token;
    return { ...token, topLogprobs: decodeTopLogprobs(units.slice(-topLogprobsUnits)) };
  }

  #ledger(publishedAtOnProducersClock: number): TokenLedger {
    const publishedAtMilliseconds = publishedAtOnProducersClock + this.#clockOffsetMilliseconds;
    return {
      publishedAtMilliseconds,
      wokenAtMilliseconds: Math.max(publishedAtMilliseconds, this.#wokenAtMilliseconds),
    };
  }

  #release(): void {
    if (this.#tail === this.#releasedTail) return;
    this.#releasedTail = this.#tail;
    // Releases our reads: a producer that sees this TAIL may overwrite the slots.
    Atomics.store(this.#views.header, tailWord, this.#tail);
    wake(this.#views.header, producerAsleepWord);
  }
}
