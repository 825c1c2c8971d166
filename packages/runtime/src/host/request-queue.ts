import { StreamgaugeError, type GenerationSummary, type StopReason } from "@streamgauge/core";

/**
 * Calls that wait for their turn. Those of one client leave in the order they
 * came; clients take turns, so that one with many calls does not keep the others
 * waiting. Adding, taking and removing cost the same however many wait.
 */
export class RequestQueue<T> {
  readonly #limit: number;
  /** In the order of their turns; a client without calls is not in it. */
  readonly #clients = new Map<string, Set<T>>();
  #length = 0;

  /** @param limit most calls that wait, ≥ 0; `Infinity` for no limit */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** @throws StreamgaugeError `QUEUE_FULL` */
  add(clientId: string, call: T): void {
    if (this.#length >= this.#limit) throw queueFull(this.#limit);
    const calls = this.#clients.get(clientId);
    if (calls === undefined) this.#clients.set(clientId, new Set([call]));
    else calls.add(call);
    this.#length += 1;
  }

  /** The first call of the client whose turn it is. The client's next turn is after all others'. */
  take(): T | undefined {
    for (const [clientId, calls] of this.#clients) {
      this.#clients.delete(clientId);
      for (const call of calls) {
        calls.delete(call);
        this.#length -= 1;
        if (calls.size > 0) this.#clients.set(clientId, calls);
        return call;
      }
    }
    return undefined;
  }

  /** Takes this call out, whoever's turn it is. False when it does not wait here. */
  remove(clientId: string, call: T): boolean {
    const calls = this.#clients.get(clientId);
    if (calls?.delete(call) !== true) return false;
    this.#length -= 1;
    if (calls.size === 0) this.#clients.delete(clientId);
    return true;
  }
}

/** The end of a call that was stopped before it began: no tokens, and its prompt was not counted. */
export function neverBegan(finishReason: StopReason): GenerationSummary {
  return {
    finishReason,
    promptTokens: 0,
    producedTokens: 0,
    timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
  };
}

function queueFull(limit: number): StreamgaugeError {
  const waiting = limit === 0 ? "no call may wait" : `${limit} calls wait already`;
  return new StreamgaugeError(
    "QUEUE_FULL",
    `Nothing is free to take this call, and ${waiting}: try again later, or raise maxQueue, ` +
      `which is ${limit}.`,
  );
}
