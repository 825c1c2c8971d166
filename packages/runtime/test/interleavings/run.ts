/**
 * One side of a ring, run from its beginning under a log.
 *
 * A side is a deterministic function of what its shared operations returned. So
 * its state is the log of these results: to know what it does next, run it on a
 * fresh object, hand it the logged results, and stop it at the first operation
 * behind them.
 *
 * Different logs can lead to the same state. A program says so at its
 * checkpoints: what it does from there on depends on the checkpoint's name and
 * the private fields of its end of the ring alone.
 */
import type { Dozer } from "../../src/ring/ticker.js";
import { privateState } from "./private-state.js";

export type Slots = "words" | "halves" | "doubles";

/** What a side does next. */
export type Operation =
  | { readonly kind: "load" | "notify" | "post"; readonly word: number }
  | { readonly kind: "store"; readonly word: number; readonly value: number }
  | {
      readonly kind: "exchange";
      readonly word: number;
      readonly expected: number;
      readonly value: number;
    }
  | { readonly kind: "waitAsync" | "wait"; readonly word: number; readonly value: number }
  | { readonly kind: "read"; readonly slots: Slots; readonly index: number }
  | {
      readonly kind: "write";
      readonly slots: Slots;
      readonly index: number;
      readonly value: number;
    }
  /** Its thread's event loop has nothing to do but wait for an event. */
  | { readonly kind: "idle"; readonly isTurning: boolean; readonly isDozing: boolean }
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: unknown };

/** What an operation returned, or an event that came while the side was idle. */
export type Entry = number | string | undefined;

/** A side: its program, and what its thread does when an event comes. */
export interface Side {
  readonly main: () => Promise<unknown>;
  readonly onEvent: (event: string) => void;
}

/** Plain slot accesses that are not logged yet go here, as far as they go without a shared one. */
export interface PlainMemory {
  plain(operation: Operation & { kind: "read" | "write" }): Entry;
}

const suspended = new Error("This side is suspended.");

/** The run that is going on; there is one at a time. */
let current: Run | undefined;

export function currentRun(): Run {
  if (current === undefined) throw new Error("No side runs.");
  return current;
}

export class Run {
  /** Plain accesses performed behind the log, each with its result. */
  readonly fresh: { readonly operation: Operation; readonly result: Entry }[] = [];
  /** The state at a checkpoint, by the length of the log up to it. */
  readonly checkpoints = new Map<number, string>();
  readonly #log: readonly Entry[];
  readonly #memory: PlainMemory;
  #position = 0;
  #pending: Operation | undefined;
  #wakeUp: ((result: string) => void) | undefined;
  #turn: (() => void) | undefined;
  #dozer: Dozer | undefined;

  private constructor(log: readonly Entry[], memory: PlainMemory) {
    this.#log = log;
    this.#memory = memory;
  }

  /** Runs a side up to the first operation behind its log. */
  static async until(
    side: () => Side,
    log: readonly Entry[],
    memory: PlainMemory,
  ): Promise<{ readonly run: Run; readonly next: Operation }> {
    const run = new Run(log, memory);
    current = run;
    return { run, next: await run.#go(side()) };
  }

  async #go(side: Side): Promise<Operation> {
    let outcome: Operation | undefined;
    void side.main().then(
      (value) => void (outcome = { kind: "done", value }),
      (error: unknown) => void (outcome = { kind: "failed", error }),
    );
    for (;;) {
      // All promises that can settle have settled after a turn.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      if (this.#pending !== undefined) return this.#pending;
      if (outcome !== undefined && this.#position < this.#log.length && outcome.kind === "done") {
        throw new Error("A side ended before its log did: it is not deterministic.");
      }
      if (outcome !== undefined) return outcome;
      if (this.#position === this.#log.length) {
        const [isTurning, isDozing] = [this.#turn !== undefined, this.#dozer !== undefined];
        return { kind: "idle", isTurning, isDozing };
      }
      this.#take(String(this.#log[this.#position++]), side);
    }
  }

  #take(event: string, side: Side): void {
    if (event === "woken") this.#wakeUp?.("ok");
    else if (event === "turn") this.#endTurn();
    else {
      try {
        if (event === "tick") this.#endDoze();
        else side.onEvent(event);
      } catch (error) {
        if (error !== suspended) throw error;
      }
    }
  }

  #endTurn(): void {
    this.#turn?.();
    this.#turn = undefined;
  }

  #endDoze(): void {
    const dozer = this.#dozer;
    this.#dozer = undefined;
    dozer?.endDoze(0);
  }

  perform(operation: Operation): Entry {
    if (this.#pending === undefined && this.#position < this.#log.length) {
      return this.#log[this.#position++];
    }
    if (operation.kind === "read" || operation.kind === "write") {
      if (this.#pending !== undefined) throw suspended;
      const result = this.#memory.plain(operation);
      this.fresh.push({ operation, result });
      return result;
    }
    this.#pending ??= operation;
    throw suspended;
  }

  checkpoint(name: string, end: object): void {
    if (this.#pending !== undefined || this.#position < this.#log.length) return;
    this.checkpoints.set(this.#position + this.fresh.length, `${name} ${privateState(end)}`);
  }

  /** A turn of the event loop, in which events may come. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#turn = resolve;
    });
  }

  /** What the ticker of its thread knows. */
  doze(dozer: Dozer | undefined): void {
    this.#dozer = dozer;
  }

  waitAsync(word: number, value: number): { async: boolean; value: Promise<string> | string } {
    const result = this.perform({ kind: "waitAsync", word, value });
    if (result !== "async") return { async: false, value: String(result) };
    const woken = new Promise<string>((resolve) => {
      this.#wakeUp = resolve;
    });
    return { async: true, value: woken };
  }
}

/** `Atomics` as the sides see it: every call is an operation of the current run. */
export const loggedAtomics = {
  load: (_: Int32Array, word: number): Entry => currentRun().perform({ kind: "load", word }),
  store: (_: Int32Array, word: number, value: number): number => {
    currentRun().perform({ kind: "store", word, value });
    return value;
  },
  compareExchange: (_: Int32Array, word: number, expected: number, value: number): Entry =>
    currentRun().perform({ kind: "exchange", word, expected, value }),
  notify: (_: Int32Array, word: number): Entry => currentRun().perform({ kind: "notify", word }),
  wait: (_: Int32Array, word: number, value: number): Entry =>
    currentRun().perform({ kind: "wait", word, value }),
  waitAsync: (_: Int32Array, word: number, value: number): unknown =>
    currentRun().waitAsync(word, value),
};

/**
 * Slots as the sides see them: every access is an operation of the current run.
 *
 * @param beforeReading called with the index that is going to be read
 */
export function loggedSlots(
  slots: Slots,
  beforeReading: (index: number) => void = () => undefined,
): Record<number, number> {
  return new Proxy<Record<number, number>>(
    {},
    {
      get: (_, key) => {
        beforeReading(Number(key));
        return currentRun().perform({ kind: "read", slots, index: Number(key) });
      },
      set: (_, key, value: number) => {
        currentRun().perform({ kind: "write", slots, index: Number(key), value });
        return true;
      },
    },
  );
}
