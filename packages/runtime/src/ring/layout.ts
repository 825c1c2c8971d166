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
import type { MessagePort } from "node:worker_threads";

/** The memory of one ring: what crosses to the other thread. */
export interface RingMemory {
  /** May be longer than the ring; what is behind the slots is left alone. */
  readonly buffer: SharedArrayBuffer;
  /** Slots; a power of two, or 0 for a ring that carries states only. */
  readonly capacity: number;
  /** Tokens the producer gathers before it makes them visible, 1 … capacity. */
  readonly publishBatch: number;
  /** Whether both sides stamp the slots; see `RingOptions`. */
  readonly ledger: boolean;
  /** Where the producer knocks, for a consumer that sleeps on messages; otherwise undefined. */
  readonly port: MessagePort | undefined;
}

/** Int32 positions in the header. */
export const headWord = 0;
export const tailWord = 16;
/** One of {@link producerState}. */
export const producerStateWord = 32;
/** 0 while the consumer reads; otherwise 1 + position in {@link stopReasons}. */
export const stopWord = 33;
/** One of {@link sleepState}; also the word that side sleeps on. */
export const consumerAsleepWord = 34;
export const producerAsleepWord = 35;

/** How a side sleeps: "asleep" for any news, "dozing" for a limited time and for urgent ones only. */
export const sleepState = { awake: 0, asleep: 1, dozing: 2 } as const;
/** The states in which a side is not awake. */
export type SleepState = typeof sleepState.asleep | typeof sleepState.dozing;

/** In the order of a ring's life: whatever is above `running` is an end. */
export const producerState = {
  queued: 0,
  running: 1,
  complete: 2,
  failed: 3,
  lost: 4,
  withdrawn: 5,
} as const;
export const endings = ["complete", "failed", "lost", "withdrawn"] as const;
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

/** Bytes of a ring. */
export function ringBytes(capacity: number): number {
  return headerBytes + capacity * slotBytes;
}

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
