import type { MessagePort } from "node:worker_threads";
import type { StopReason, StreamToken, TokenSink } from "@streamgauge/core";
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
  textUnitsPerSlot,
  topLogprobsShift,
  unitsField,
  viewRing,
  type RingMemory,
  type RingViews,
} from "./layout.js";
import { sleepUnless, wake, type WakeOptions } from "./sleep.js";
import { encodeTopLogprobs } from "./top-logprobs.js";

/**
 * The writing end of a ring. It belongs to one thread, the one that makes the
 * tokens; nobody else writes HEAD, the slots or (once claimed) the producer's state.
 */
export class RingProducer implements TokenSink {
  readonly #views: RingViews;
  readonly #capacity: number;
  readonly #publishBatch: number;
  /** Wakes a consumer that sleeps on messages. */
  readonly #port: MessagePort | undefined;
  readonly #newsOfTokens: WakeOptions;
  /** Slots written, published or not. */
  #head = 0;
  #publishedHead = 0;
  /** TAIL as last seen: the true one may be ahead, never behind. */
  #tailSeen = 0;
  #tokensSincePublish = 0;
  /** The text of the token being pushed, and its top log-probabilities if it has any. */
  #units = "";
  /** How many of these code units are in the ring already. */
  #unitsWritten = 0;
  #lastToken: StreamToken | undefined;

  constructor(memory: RingMemory) {
    this.#views = viewRing(memory);
    this.#capacity = memory.capacity;
    this.#publishBatch = memory.publishBatch;
    this.#port = memory.port;
    this.#newsOfTokens = { port: memory.port, isUrgent: () => this.#isHalfFull() };
  }

  /**
   * Claims the generation for this thread. False when the consumer withdrew it
   * while it was queued; nothing may be pushed then.
   */
  begin(): boolean {
    const { queued, running } = producerState;
    const { header } = this.#views;
    return Atomics.compareExchange(header, producerStateWord, queued, running) === queued;
  }

  /** Why the consumer wants no more; one atomic load. */
  get stopReason(): StopReason | undefined {
    const word = Atomics.load(this.#views.header, stopWord);
    return word === 0 ? undefined : stopReasons[word - 1];
  }

  /** Never waits: it writes what there is room for. See `TokenSink.push` in core. */
  push(token: StreamToken): boolean {
    if (this.#capacity === 0) return true;
    // After an interrupted push the caller repeats the same token: go on in its text.
    if (token !== this.#lastToken) {
      const { text, topLogprobs } = token;
      this.#lastToken = token;
      this.#units = topLogprobs === undefined ? text : text + encodeTopLogprobs(topLogprobs);
      this.#unitsWritten = 0;
    }
    do {
      if (!this.#hasRoom()) {
        this.#publish();
        return false;
      }
      this.#writeSlot(token);
    } while (this.#unitsWritten < this.#units.length);
    this.#lastToken = undefined;
    this.#tokensSincePublish += 1;
    // The first token is what people wait for: never hold it back.
    if (this.#tokensSincePublish >= this.#publishBatch || token.index === 0) this.#publish();
    return true;
  }

  /**
   * Sleeps until there is room or the consumer has stopped. A consumer that does
   * neither is waited for without a limit; whoever owns both ends stops it.
   */
  async writable(): Promise<void> {
    this.#publish();
    const mayGoOn = (): boolean => this.#hasRoom() || this.stopReason !== undefined;
    while (!mayGoOn()) await sleepUnless(this.#views.header, producerAsleepWord, mayGoOn);
  }

  /**
   * Publishes what is left and marks the end. Nothing may be pushed afterwards.
   *
   * @param how "failed" when there should have been more tokens; what went wrong
   *   is for the caller to tell, the ring carries tokens
   */
  end(how: "complete" | "failed" = "complete"): void {
    this.#publish();
    Atomics.store(this.#views.header, producerStateWord, producerState[how]);
    // For RingConsumer.blockUntilEnded(); nobody else sleeps on this word.
    Atomics.notify(this.#views.header, producerStateWord);
    wake(this.#views.header, consumerAsleepWord, { port: this.#port });
    // Closes the consumer's end too, should it have gone without doing so.
    this.#port?.close();
  }

  #hasRoom(): boolean {
    if (((this.#head - this.#tailSeen) | 0) < this.#capacity) return true;
    // Acquires the consumer's reads: a slot seen as free has been read.
    this.#tailSeen = Atomics.load(this.#views.header, tailWord);
    return ((this.#head - this.#tailSeen) | 0) < this.#capacity;
  }

  #writeSlot(token: StreamToken): void {
    const { words, halves, doubles } = this.#views;
    const slot = this.#head & (this.#capacity - 1);
    const units = this.#units;
    const from = this.#unitsWritten;
    const count = Math.min(units.length - from, textUnitsPerSlot);
    const continued = from + count < units.length;
    words[slot * slotWords + idField] = token.id;
    words[slot * slotWords + indexField] = token.index;
    doubles[slot * slotDoubles + logprobField] = token.logprob ?? Number.NaN;
    doubles[slot * slotDoubles + producedAtField] = token.producedAtMilliseconds ?? Number.NaN;
    const half = slot * slotHalves;
    halves[half + flagsField] =
      (token.endOfSequence ? endOfSequenceFlag : 0) |
      (continued ? continuedFlag : 0) |
      ((token.topLogprobs?.length ?? 0) << topLogprobsShift);
    halves[half + unitsField] = count;
    for (let unit = 0; unit < count; unit++) {
      halves[half + textField + unit] = units.charCodeAt(from + unit);
    }
    this.#unitsWritten = from + count;
    this.#head = (this.#head + 1) | 0;
  }

  /** One reading of the clock for all slots that are about to be published. */
  #stampSlots(floats: Float32Array): void {
    const { doubles } = this.#views;
    const publishedAt = performance.now();
    for (
      let position = this.#publishedHead;
      position !== this.#head;
      position = (position + 1) | 0
    ) {
      const slot = position & (this.#capacity - 1);
      const producedAt = doubles[slot * slotDoubles + producedAtField] ?? Number.NaN;
      floats[slot * slotFloats + heldField] = publishedAt - producedAt;
    }
  }

  #publish(): void {
    if (this.#head === this.#publishedHead) return;
    if (this.#views.floats !== undefined) this.#stampSlots(this.#views.floats);
    this.#publishedHead = this.#head;
    this.#tokensSincePublish = 0;
    // Releases the slots: whoever sees this HEAD sees what is in them.
    Atomics.store(this.#views.header, headWord, this.#head);
    wake(this.#views.header, consumerAsleepWord, this.#newsOfTokens);
  }

  /** Whether a consumer that dozes has to be woken before it looks by itself. */
  #isHalfFull(): boolean {
    const isHalfFull = (): boolean => ((this.#head - this.#tailSeen) | 0) * 2 >= this.#capacity;
    if (!isHalfFull()) return false;
    // Perhaps only because the consumer has read since we looked last.
    this.#tailSeen = Atomics.load(this.#views.header, tailWord);
    return isHalfFull();
  }
}
