import {
  booleanCheck,
  choiceCheck,
  integerCheck,
  invalidOption,
  numberCheck,
  readOptions,
  type OptionNaming,
  type OptionTable,
} from "@streamgauge/core";

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
   * consumer that is awake finds tokens by looking, without a system call.
   *
   * - `"waitAsync"` (the default) sleeps in `Atomics.waitAsync`: the event loop
   *   goes on, and there is nothing to transfer or to close. For servers and
   *   everything that has other work to do.
   * - `"message"` has the producer post one message per sleep through a port of
   *   the ring's own. It goes the event loop's ordinary way, in turn with other
   *   messages, and needs a port per stream. For threads where `Atomics.waitAsync`
   *   is not to be had or not wanted.
   * - `"block"` blocks the consuming thread in `Atomics.wait`. For scripts and
   *   workers with nothing else to do: the event loop gets a turn only every 20
   *   milliseconds, so timers, signals and a worker's death are noticed late by at
   *   most that, and two streams of one thread hold each other up.
   *
   * Measured latency and CPU time of each, beside other transports, are in
   * `docs/STREAMING_PERFORMANCE.md`, under "Bottlenecks that were found". By default
   * they differ only for tokens that are made {@link maxDelayMilliseconds} apart or
   * more: faster ones are told together.
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

const largestCapacity = 65_536;

const table: OptionTable<RingOptions, Required<RingOptions>> = {
  capacity: {
    check: {
      accepts: (value): value is number =>
        Number.isInteger(value) &&
        (value as number) >= 1 &&
        largestCapacity % (value as number) === 0,
      expected: `a power of two from 1 to ${largestCapacity}`,
    },
    default: 256,
  },
  publishBatch: { check: integerCheck(1, largestCapacity), default: 1 },
  ledger: { check: booleanCheck, default: false },
  wait: { check: choiceCheck(["waitAsync", "message", "block"]), default: "waitAsync" },
  spinMicroseconds: { check: numberCheck({ from: 0, to: 1000 }), default: 0 },
  maxDelayMilliseconds: {
    check: integerCheck(0, 1000),
    defaultFrom: ({ spinMicroseconds = 0 }) => (spinMicroseconds > 0 ? 0 : 4),
  },
};

const naming: OptionNaming = {
  all: "ring",
  kind: "ring option",
  one: (name) => `ring.${name}`,
};

/**
 * Fills in the defaults. What it returns may be given again.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function resolveRingOptions(options: RingOptions = {}): Required<RingOptions> {
  const resolved = readOptions(options, table, naming);
  const { capacity, publishBatch, wait, spinMicroseconds, maxDelayMilliseconds } = resolved;
  if (publishBatch > capacity) {
    throw invalidOption(
      `ring.publishBatch is ${publishBatch}; it must be an integer from 1 to the ring's ` +
        `capacity, ${capacity}.`,
    );
  }
  if (spinMicroseconds > 0 && wait !== "block") {
    throw invalidOption(
      `ring.spinMicroseconds is ${spinMicroseconds}, but with ring.wait "${wait}" the consumer ` +
        `does not spin: leave it out, or set ring.wait to "block".`,
    );
  }
  if (maxDelayMilliseconds > 0 && spinMicroseconds > 0) {
    throw invalidOption(
      `ring.maxDelayMilliseconds is ${maxDelayMilliseconds} and ring.spinMicroseconds is ` +
        `${spinMicroseconds}, but a consumer that spins wants each token at once: leave one of the ` +
        `two out.`,
    );
  }
  return resolved;
}
