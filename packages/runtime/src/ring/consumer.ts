import type { StopReason, StreamToken, TokenLedger } from "@streamgauge/core";
import {
  consumerAsleepWord,
  continuedFlag,
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
} from "./layout.js";
import { sleepUnless, wake } from "./sleep.js";
import { decodeTopLogprobs, unitsPerTopLogprob } from "./top-logprobs.js";

/**
 * The reading end of a ring. It belongs to one thread, the one that asked for
 * the tokens; nobody else writes TAIL or the stop word.
 */
export class RingConsumer {
  readonly #views: RingViews;
  readonly #capacity: number;
  /** Added to the producer's time stamps to get this thread's clock. */
  readonly #clockOffsetMilliseconds: number;
  #tail = 0;
  #releasedTail = 0;
  /** HEAD as last seen: the true one may be ahead, never behind. */
  #headSeen = 0;
  /** Code units of a token whose last slot has not come yet. */
  #unitsSoFar = "";
  #stopReason: StopReason | undefined;
  /** When the last sleep in {@link wait} ended; kept only with a ledger. */
  #wokenAtMilliseconds = -Infinity;

  constructor(memory: RingMemory, clockOffsetMilliseconds = 0) {
    this.#views = viewRing(memory);
    this.#capacity = memory.capacity;
    this.#clockOffsetMilliseconds = clockOffsetMilliseconds;
  }

  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** The next token if all of it is here. */
  poll(): StreamToken | undefined {
    if (this.#stopReason !== undefined) return undefined;
    while (this.#hasSlot()) {
      const token = this.#readSlot();
      if (token !== undefined) return token;
    }
    return undefined;
  }

  /** Resolves true when there is a slot to read, false when no more will come. */
  async wait(): Promise<boolean> {
    const { header } = this.#views;
    const isOver = (): boolean =>
      this.#stopReason !== undefined ||
      Atomics.load(header, producerStateWord) === producerState.ended;
    const hasWork = (): boolean => this.#hasSlot() || isOver();
    while (!hasWork()) {
      await sleepUnless(header, consumerAsleepWord, hasWork);
      // Before looking: a slot published after this reading did not need the waking.
      if (this.#views.floats !== undefined) this.#wokenAtMilliseconds = performance.now();
    }
    // Slots published just before the end are seen by looking again after it.
    return this.#stopReason === undefined && this.#hasSlot();
  }

  /** Tells the producer to stop and drops what was not polled. */
  stop(reason: StopReason): void {
    if (this.#stopReason !== undefined) return;
    this.#stopReason = reason;
    Atomics.store(this.#views.header, stopWord, 1 + stopReasons.indexOf(reason));
    wake(this.#views.header, producerAsleepWord);
    wake(this.#views.header, consumerAsleepWord);
  }

  /** Takes a generation back that no producer has claimed. True when it worked. */
  withdraw(): boolean {
    const { queued, ended } = producerState;
    const { header } = this.#views;
    return Atomics.compareExchange(header, producerStateWord, queued, ended) === queued;
  }

  /**
   * Blocks this thread until the producer has ended or the time is over; for the
   * last moments of a process, when nothing asynchronous runs any more.
   */
  blockUntilEnded(timeoutMilliseconds: number): void {
    const { header } = this.#views;
    Atomics.wait(header, producerStateWord, producerState.running, timeoutMilliseconds);
  }

  /** Marks the end on behalf of a producer that died, so that {@link wait} returns. */
  declareEnded(): void {
    Atomics.store(this.#views.header, producerStateWord, producerState.ended);
    wake(this.#views.header, consumerAsleepWord);
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
    const textEnd = units.length - (flags >> topLogprobsShift) * unitsPerTopLogprob;
    const hasTop = textEnd < units.length;
    const text = hasTop ? units.slice(0, textEnd) : units;
    const topLogprobs = hasTop ? decodeTopLogprobs(units.slice(textEnd)) : undefined;
    const endOfSequence = (flags & endOfSequenceFlag) !== 0;
    const logprob = Number.isNaN(slotLogprob) ? undefined : slotLogprob;
    const producedAtMilliseconds = Number.isNaN(producedAt)
      ? undefined
      : producedAt + this.#clockOffsetMilliseconds;
    // Two literals, because spreading one into the other costs a microsecond.
    if (Number.isNaN(held)) {
      return { index, id, text, endOfSequence, logprob, topLogprobs, producedAtMilliseconds };
    }
    const ledger = this.#ledger(producedAt + held);
    return { index, id, text, endOfSequence, logprob, topLogprobs, producedAtMilliseconds, ledger };
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
