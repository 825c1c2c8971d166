/**
 * A single-producer single-consumer ring of tokens in shared memory. The thread
 * that wants tokens calls {@link createRing}, keeps the consumer and posts the
 * memory to the thread that makes them, which opens a {@link RingProducer} on it.
 *
 * @module
 */
import { MessageChannel, type Transferable } from "node:worker_threads";
import { RingConsumer } from "./consumer.js";
import { ringBytes, type RingMemory } from "./layout.js";
import type { RingOptions } from "./options.js";

export { plantCanaries, type CanaryCount } from "./canaries.js";
export { RingConsumer, type RingEnding } from "./consumer.js";
export { ringBytes, type RingMemory } from "./layout.js";
export { resolveRingOptions, type RingOptions, type RingWait } from "./options.js";
export { RingProducer } from "./producer.js";

/** A new ring, seen from its consumer. */
export interface NewRing {
  readonly consumer: RingConsumer;
  /** To be posted to exactly one producer, with {@link transfer}. */
  readonly memory: RingMemory;
  /** What has to be transferred when {@link memory} is posted; mostly empty. */
  readonly transfer: readonly Transferable[];
}

/**
 * A new ring. With `wait: "message"` it holds a port until the consumer's `wait()`
 * has resolved false, or one of its `stop()` and `declareLost()` was called, or
 * the producer has ended.
 *
 * @param options as returned by `resolveRingOptions`
 * @param clockOffsetMilliseconds added to the producer's time stamps to get this thread's clock
 * @param buffer the memory to use, all zeros, of at least `ringBytes(capacity)` bytes
 * @param onWakeUp called when the consumer slept and was woken, with a number that
 *   all consumers of this thread which were woken in one turn of its event loop have
 *   in common
 */
export function createRing(
  options: Required<RingOptions>,
  clockOffsetMilliseconds = 0,
  buffer: SharedArrayBuffer = new SharedArrayBuffer(ringBytes(options.capacity)),
  onWakeUp?: (wakeUp: number) => void,
): NewRing {
  const { capacity, publishBatch, ledger, wait, spinMicroseconds, maxDelayMilliseconds } = options;
  const channel = wait === "message" ? new MessageChannel() : undefined;
  const memory = { buffer, capacity, publishBatch, ledger, port: channel?.port2 };
  const sleep = { wait, spinMicroseconds, maxDelayMilliseconds, port: channel?.port1 };
  return {
    memory,
    transfer: channel === undefined ? [] : [channel.port2],
    consumer: new RingConsumer(memory, sleep, clockOffsetMilliseconds, onWakeUp),
  };
}

/**
 * A ring without slots, for a generation that returns its tokens at the end but
 * is claimed, stopped and withdrawn like a stream.
 */
export function createStateOnlyRing(): NewRing {
  return createRing({
    capacity: 0,
    publishBatch: 0,
    ledger: false,
    wait: "waitAsync",
    spinMicroseconds: 0,
    maxDelayMilliseconds: 0,
  });
}
