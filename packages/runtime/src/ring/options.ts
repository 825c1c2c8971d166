import { StreamgaugeError } from "@streamgauge/core";

/** How a consumer's thread sleeps while there is no token; see {@link RingOptions.wait}. */
export type RingWait = "waitAsync" | "message" | "block";

/** How a stream's tokens cross threads. */
export interface RingOptions {
  /** Slots, a power of two from 1 to 65,536. Default 256. One slot is 64 bytes. */
  readonly capacity?: number;
  /**
   * Tokens the producer gathers before it publishes them, from 1 (the default)
   * to `capacity`. More than 1 saves wake-ups and delays tokens; the first token
   * and the last are published at once.
   */
  readonly publishBatch?: number;
  /**
   * Whether tokens carry a `ledger`: when they were published and when the
   * consumer woke. Default false. It costs one reading of the clock for each
   * publication and each waking, and an object for each token.
   */
  readonly ledger?: boolean;
  /**
   * How the consumer's thread sleeps while there is no token. Whichever it is, a
   * consumer that is awake finds tokens by looking, without a system call: in a
   * burst the three cost the same, a tenth of the CPU time of `postMessage`.
   *
   * - `"waitAsync"` (the default) sleeps in `Atomics.waitAsync`: the event loop
   *   goes on, and there is nothing to transfer or to close. For servers and
   *   everything that has other work to do. With a token every millisecond, each of
   *   which wakes: 23 µs from made to delivered (p50), 24 µs of CPU time per token in
   *   both threads.
   * - `"message"` has the producer post one message per sleep through a port of
   *   the ring's own. It goes the event loop's ordinary way, in turn with other
   *   messages, and needs a port per stream. For threads where `Atomics.waitAsync`
   *   is not to be had or not wanted. 22 µs, 27 µs of CPU time.
   * - `"block"` blocks the consuming thread in `Atomics.wait`. For scripts and
   *   workers with nothing else to do: the event loop gets a turn only every 20
   *   milliseconds, so timers, signals and a worker's death are noticed late by at
   *   most that, and two streams of one thread hold each other up. 17 µs, 19 µs of
   *   CPU time; after 50 µs of spinning, 17 µs and 64 µs.
   *
   * Figures: `results/2026-11-25-full`, two shared virtual cores, Node 20, of a
   * ring that wakes for each token, as with {@link maxDelayMilliseconds} 0; with 5 ms
   * between tokens the cores sleep deeper, and latencies are 84, 105 and 50 µs. By
   * default tokens that come faster than one in four milliseconds are told together,
   * whichever way the consumer sleeps: the wake-ups and the CPU time that they cost
   * are those of one, and the latency is 2 ms (p50).
   */
  readonly wait?: RingWait;
  /**
   * Only with `wait: "block"`: how long the consumer looks for the next token
   * before it sleeps, in microseconds from 0 (the default) to 1,000. It saves the
   * wake-up of tokens that come sooner, and burns a core meanwhile.
   */
  readonly spinMicroseconds?: number;
  /**
   * How long the consumer of a fast stream may be left asleep with a token to read,
   * in whole milliseconds from 0 to 1,000. Default 4, a quarter of a screen's frame;
   * 0 when the consumer spins. At 0 every token wakes.
   *
   * Each waking slows down the thread that computes. So a consumer whose tokens are
   * made closer together than this is left asleep until the time is over, and finds
   * several at once. What is urgent wakes it at once: the end, a stop, a ring that is
   * half full. So does the first token of a stream, the first after a pause, and each
   * one of a model that is slower than this. Nobody is told later than this and the
   * slack of Node's timers, a millisecond; all streams of a thread are told together.
   * It holds for every way to wait.
   */
  readonly maxDelayMilliseconds?: number;
}

const knownOptions: readonly string[] = [
  "capacity",
  "publishBatch",
  "ledger",
  "wait",
  "spinMicroseconds",
  "maxDelayMilliseconds",
];
const waits: readonly RingWait[] = ["waitAsync", "message", "block"];
const defaultCapacity = 256;
const largestCapacity = 65_536;
const longestSpinMicroseconds = 1000;
const defaultMaxDelayMilliseconds = 4;
const longestDelayMilliseconds = 1000;

/**
 * Fills in the defaults. What it returns may be given again.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function resolveRingOptions(options: RingOptions = {}): Required<RingOptions> {
  for (const key of Object.keys(options)) {
    if (!knownOptions.includes(key)) {
      throw invalid(`Unknown ring option "${key}". Known: ${knownOptions.join(", ")}.`);
    }
  }
  const { capacity = defaultCapacity, publishBatch = 1, ledger = false } = options;
  const { wait = "waitAsync", spinMicroseconds = 0 } = options;
  const isPowerOfTwo = Number.isInteger(capacity) && capacity >= 1 && 2 ** 31 % capacity === 0;
  if (!isPowerOfTwo || capacity > largestCapacity) {
    throw invalid(
      `ring.capacity is ${String(capacity)}; it must be a power of two from 1 to ${largestCapacity}.`,
    );
  }
  if (!Number.isInteger(publishBatch) || publishBatch < 1 || publishBatch > capacity) {
    throw invalid(
      `ring.publishBatch is ${String(publishBatch)}; it must be an integer from 1 to the ring's ` +
        `capacity, ${capacity}.`,
    );
  }
  if (typeof ledger !== "boolean") {
    throw invalid(`ring.ledger is ${String(ledger)}; it must be true or false.`);
  }
  if (!waits.includes(wait)) {
    const given: unknown = wait;
    throw invalid(`ring.wait is ${String(given)}; it must be one of: ${waits.join(", ")}.`);
  }
  checkSpin(spinMicroseconds, wait);
  const { maxDelayMilliseconds = spinMicroseconds > 0 ? 0 : defaultMaxDelayMilliseconds } = options;
  checkDelay(maxDelayMilliseconds, spinMicroseconds);
  return { capacity, publishBatch, ledger, wait, spinMicroseconds, maxDelayMilliseconds };
}

function checkDelay(maxDelayMilliseconds: number, spinMicroseconds: number): void {
  const isWhole = Number.isInteger(maxDelayMilliseconds) && maxDelayMilliseconds >= 0;
  if (!isWhole || maxDelayMilliseconds > longestDelayMilliseconds) {
    throw invalid(
      `ring.maxDelayMilliseconds is ${String(maxDelayMilliseconds)}; it must be an integer from 0 ` +
        `to ${longestDelayMilliseconds}.`,
    );
  }
  if (maxDelayMilliseconds > 0 && spinMicroseconds > 0) {
    throw invalid(
      `ring.maxDelayMilliseconds is ${maxDelayMilliseconds} and ring.spinMicroseconds is ` +
        `${spinMicroseconds}, but a consumer that spins wants each token at once: leave one of the ` +
        `two out.`,
    );
  }
}

function checkSpin(spinMicroseconds: number, wait: RingWait): void {
  if (!(spinMicroseconds >= 0 && spinMicroseconds <= longestSpinMicroseconds)) {
    throw invalid(
      `ring.spinMicroseconds is ${String(spinMicroseconds)}; it must be a number from 0 to ` +
        `${longestSpinMicroseconds}.`,
    );
  }
  if (spinMicroseconds > 0 && wait !== "block") {
    throw invalid(
      `ring.spinMicroseconds is ${spinMicroseconds}, but with ring.wait "${wait}" the consumer ` +
        `does not spin: leave it out, or set ring.wait to "block".`,
    );
  }
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_OPTION", message);
}
