import type { StreamToken } from "@streamgauge/core";
import type { Transferable } from "node:worker_threads";

/**
 * One way for tokens to cross from the thread that makes them to the one that
 * wants them. Both threads hold the same object; each calls its own side.
 *
 * @typeParam Remote what the producing thread opens its end on
 */
export interface Transport<Remote> {
  /** Whether the producer waits for a consumer that is slower; null where nothing is delivered. */
  readonly hasBackpressure: boolean | null;
  /** On the consuming thread, for one run. */
  receive(): ReceivingEnd<Remote>;
  /** On the producing thread, for the same run. */
  send(remote: Remote): SendingEnd;
}

/** The consuming thread's end. */
export interface ReceivingEnd<Remote> {
  /** To be posted to the producing thread. */
  readonly remote: Remote;
  readonly transfer: readonly Transferable[];
  /** Hands over each token; resolves at the end of the stream. May block the thread. */
  run(onToken: (token: StreamToken) => void): Promise<void>;
  /** Frees what the run held. */
  close(): void;
}

/** The producing thread's end. */
export interface SendingEnd {
  /** A promise where the producer has to wait before the next token. */
  send(token: StreamToken): Promise<void> | void;
  /** Marks the end. Resolves when nothing of this end is under way any more. */
  end(): Promise<void> | void;
}
