import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Worker } from "node:worker_threads";
import { messageOf } from "@streamgauge/core";

/** What a process holds at one moment, after a collection of garbage. */
export interface Holdings {
  readonly threads: number;
  /** What keeps or could keep the event loop alive, as Node names it; with how many of each. */
  readonly handles: Readonly<Record<string, number>>;
  readonly heapBytes: number;
  readonly externalBytes: number;
  /** Also counts the shared memory of rings. */
  readonly arrayBufferBytes: number;
  readonly residentBytes: number;
}

/** Watches this process for what streams must not leave behind. To be stopped. */
export class ProcessWatch {
  readonly #threads = new Set<Worker>();
  /** Rejections that nobody handled, warnings, uncaught exceptions. */
  readonly complaints: string[] = [];
  readonly #listeners = {
    worker: (thread: Worker): void => {
      this.#threads.add(thread);
      thread.once("exit", () => this.#threads.delete(thread));
    },
    warning: (warning: Error): void => this.#complain("warning", warning),
    unhandledRejection: (reason: unknown): void => this.#complain("unhandled rejection", reason),
    uncaughtExceptionMonitor: (error: unknown): void => this.#complain("uncaught exception", error),
  };

  constructor() {
    for (const [event, listener] of Object.entries(this.#listeners)) process.on(event, listener);
  }

  /** Threads that began since this was made and have not ended. */
  get threads(): readonly Worker[] {
    return [...this.#threads];
  }

  /** Collects garbage until there is no more, and looks. */
  async look(): Promise<Holdings> {
    // What finalizers and closing ports let go of is garbage of the next round.
    for (let round = 0; round < roundsOfCollection; round++) {
      collectGarbage();
      await nextTurn();
    }
    const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
    const handles: Record<string, number> = {};
    for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1;
    return {
      threads: this.#threads.size,
      handles,
      heapBytes: heapUsed,
      externalBytes: external,
      arrayBufferBytes: arrayBuffers,
      residentBytes: rss,
    };
  }

  stop(): void {
    for (const [event, listener] of Object.entries(this.#listeners)) process.off(event, listener);
  }

  #complain(what: string, reason: unknown): void {
    this.complaints.push(`${what}: ${messageOf(reason)}`);
  }
}

const roundsOfCollection = 6;

let gc: (() => void) | undefined;

/** A full collection of this thread's garbage, whether or not Node was started with a flag for it. */
export function collectGarbage(): void {
  if (gc === undefined) {
    setFlagsFromString("--expose-gc");
    gc = runInNewContext("gc") as () => void;
  }
  gc();
}
