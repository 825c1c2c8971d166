/**
 * Geometry of a token ring in shared memory. One producer thread, one consumer
 * thread, no locks.
 *
 * ```text
 *  byte 0        64        128       192                192 + 64·capacity
 *       ┌─────────┬─────────┬─────────┬──────┬──────┬─ ─ ─┬──────┐
 *       │ HEAD    │ TAIL    │ states  │ slot │ slot │     │ slot │
 *       └─────────┴─────────┴─────────┴──────┴──────┴─ ─ ─┴──────┘
 *         written   written   seldom    64 bytes each
 *         by the    by the    written
 *         producer  consumer
 * ```
 *
 * HEAD and TAIL count slots ever written and ever read. They run freely and wrap
 * at 2³², so `(head − tail) | 0` is the number of filled slots, full and empty
 * are told apart without a wasted slot, and `counter & (capacity − 1)` is the
 * slot. Each sits on a cache line of its own, because two threads writing to one
 * line slow each other down.
 *
 * A slot is one token, or a part of one whose text does not fit:
 *
 * ```text
 *  byte 0      4        6       8         16          24      28      32           64
 *       ┌──────┬────────┬───────┬─────────┬───────────┬───────┬───────┬────────────┐
 *       │ id   │ flags  │ units │ logprob │ produced  │ index │ held  │ 16 UTF-16  │
 *       │ i32  │ u16    │ u16   │ f64     │ at, f64   │ i32   │ f32   │ code units │
 *       └──────┴────────┴───────┴─────────┴───────────┴───────┴───────┴────────────┘
 * ```
 *
 * "held" is written only in a ring with a ledger: how long the token was held
 * from its production to its publication, in milliseconds. As a difference it
 * keeps, in four bytes, seven digits of what is usually microseconds; a moment
 * would not. It is NaN where the moment of production is unknown.
 *
 * A token's top log-probabilities follow its text as code units (`top-logprobs.ts`);
 * the upper byte of the flags says how many they are.
 *
 * @module
 */
import { StreamgaugeError } from "@streamgauge/core";

/** The memory of one ring: what crosses to the other thread. */
export interface RingMemory {
  readonly buffer: SharedArrayBuffer;
  /** Slots; a power of two, or 0 for a ring that carries states only. */
  readonly capacity: number;
  /** Tokens the producer gathers before it makes them visible, 1 … capacity. */
  readonly publishBatch: number;
  /** Whether both sides stamp the slots; see {@link RingOptions}. */
  readonly ledger: boolean;
}

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
}

/** Int32 positions in the header. */
export const headWord = 0;
export const tailWord = 16;
/** One of {@link producerState}. */
export const producerStateWord = 32;
/** 0 while the consumer reads; otherwise 1 + position in {@link stopReasons}. */
export const stopWord = 33;
/** 1 while that side sleeps; also the word it sleeps on. */
export const consumerAsleepWord = 34;
export const producerAsleepWord = 35;

export const producerState = { queued: 0, running: 1, ended: 2 } as const;
export const stopReasons = ["cancelled", "aborted", "closed", "deadline"] as const;

export const headerBytes = 192;
export const slotBytes = 64;

/** Int32 positions in a slot. */
export const slotWords = 16;
export const idField = 0;
export const indexField = 6;
/** Uint16 positions in a slot. */
export const slotHalves = 32;
export const flagsField = 2;
export const unitsField = 3;
export const textField = 16;
export const textUnitsPerSlot = 16;
/** Float64 positions in a slot. */
export const slotDoubles = 8;
export const logprobField = 1;
export const producedAtField = 2;
/** Float32 positions in a slot. */
export const slotFloats = 16;
export const heldField = 7;

export const endOfSequenceFlag = 1;
/** The text goes on in the next slot, which repeats the other fields. */
export const continuedFlag = 2;
/** Bits below the number of top log-probabilities. */
export const topLogprobsShift = 8;

const knownOptions: readonly string[] = ["capacity", "publishBatch", "ledger"];
const defaultCapacity = 256;
const largestCapacity = 65_536;

/** The views both ends have on a ring's memory. */
export interface RingViews {
  readonly header: Int32Array;
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  readonly doubles: Float64Array;
  /** Only with a ledger. */
  readonly floats: Float32Array | undefined;
}

export function viewRing({ buffer, ledger }: RingMemory): RingViews {
  return {
    header: new Int32Array(buffer, 0, headerBytes / 4),
    words: new Int32Array(buffer, headerBytes),
    halves: new Uint16Array(buffer, headerBytes),
    doubles: new Float64Array(buffer, headerBytes),
    floats: ledger ? new Float32Array(buffer, headerBytes) : undefined,
  };
}

/**
 * Fills in the defaults.
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
  return { capacity, publishBatch, ledger };
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_OPTION", message);
}
