/**
 * A single-producer single-consumer ring of tokens in shared memory. The thread
 * that wants tokens calls {@link createRing}, keeps the consumer and posts the
 * memory to the thread that makes them, which opens a {@link RingProducer} on it.
 *
 * @module
 */
import { RingConsumer } from "./consumer.js";
import { headerBytes, slotBytes, type RingMemory, type RingOptions } from "./layout.js";

export { RingConsumer } from "./consumer.js";
export { resolveRingOptions, type RingMemory, type RingOptions } from "./layout.js";
export { RingProducer } from "./producer.js";

/** A new ring, seen from its consumer. */
export interface NewRing {
  readonly consumer: RingConsumer;
  /** To be posted to exactly one producer. */
  readonly memory: RingMemory;
}

/**
 * @param options as returned by `resolveRingOptions`
 * @param clockOffsetMilliseconds added to the producer's time stamps to get this thread's clock
 */
export function createRing(
  options: Required<RingOptions>,
  clockOffsetMilliseconds: number,
): NewRing {
  const buffer = new SharedArrayBuffer(headerBytes + options.capacity * slotBytes);
  const memory: RingMemory = { buffer, ...options };
  return { memory, consumer: new RingConsumer(memory, clockOffsetMilliseconds) };
}

/**
 * A ring without slots, for a generation that returns its tokens at the end but
 * is claimed, stopped and withdrawn like a stream.
 */
export function createStateOnlyRing(): NewRing {
  return createRing({ capacity: 0, publishBatch: 0, ledger: false }, 0);
}
