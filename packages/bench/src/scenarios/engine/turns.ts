import { blockOrders } from "../../measure/block-order.js";

const nothing = (): void => undefined;

/**
 * The turns of one work among several in this thread. The work does one step in each,
 * and {@link pause}s before the next; meanwhile all others stand still.
 */
export class Turns {
  #spentMilliseconds = 0;
  #begunAt = 0;
  #isIn = false;
  #goOn = nothing;
  #handOver = nothing;

  /** What the turns of the present work have taken up to now; to be asked in one of them. */
  get milliseconds(): number {
    return this.#spentMilliseconds + performance.now() - this.#begunAt;
  }

  /** Ends the turn. Resolves when the next one begins; at once where nobody takes turns. */
  async pause(): Promise<void> {
    if (!this.#isIn) return;
    this.#spentMilliseconds = this.milliseconds;
    await this.#wait();
  }

  /** Before a work. Resolves when its first turn begins. */
  enter(): Promise<void> {
    this.#isIn = true;
    this.#spentMilliseconds = 0;
    return this.#wait();
  }

  /** After a work. */
  leave(): void {
    this.#isIn = false;
    this.#handOver();
  }

  /** Begins a turn of one that waits for it. Resolves when it has ended. */
  give(): Promise<void> {
    return new Promise((resolve) => {
      this.#handOver = resolve;
      this.#begunAt = performance.now();
      this.#goOn();
    });
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      this.#goOn = resolve;
      this.#handOver();
    });
  }
}

/** One that takes turns. */
export interface TurnTaker<Result> {
  readonly turns: Turns;
  /** Does its work, which pauses at its `turns`. */
  run(): Promise<Result>;
}

/**
 * Lets all do their work once, a turn each in one round after the other, in balanced
 * orders. What disturbs the machine for longer than a round disturbs all of them.
 *
 * @param seed draws the orders; an integer
 * @returns what each has made, when all have ended
 * @throws what one of them has thrown, then too
 */
export async function takeTurns<Result>(
  takers: readonly TurnTaker<Result>[],
  seed: number,
): Promise<Result[]> {
  const busy = new Set(takers);
  const made = Promise.allSettled(
    takers.map(async (taker) => {
      await taker.turns.enter();
      try {
        return await taker.run();
      } finally {
        busy.delete(taker);
        taker.turns.leave();
      }
    }),
  );
  for (const round of blockOrders(takers, seed)) {
    if (busy.size === 0) break;
    for (const taker of round) if (busy.has(taker)) await taker.turns.give();
  }
  return (await made).map((result) => {
    if (result.status === "fulfilled") return result.value;
    throw result.reason;
  });
}
