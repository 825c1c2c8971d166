import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { messageOf, StreamgaugeError } from "@streamgauge/core";
import type { RunSink } from "../journal.js";
import type { BenchProgress } from "../progress.js";
import type { FromProcess, ProcessOrder, ToProcess } from "./protocol.js";

/** Who hears of what a process measures. */
export interface ProcessListener {
  readonly sink: RunSink;
  readonly signal: AbortSignal | undefined;
  readonly report: (progress: BenchProgress) => void;
  /** Flags of Node for the process. Default: those of this one. */
  readonly execArgv?: readonly string[] | undefined;
}

/**
 * Measures in a fresh process. Resolves when it has ended, also after an abort;
 * the sink has everything then.
 *
 * @throws StreamgaugeError what the process threw, or `PROCESS_FAILED` when it
 *   ended without a word
 */
export async function runProcess(
  order: Omit<ProcessOrder, "type">,
  { sink, signal, report, execArgv }: ProcessListener,
): Promise<void> {
  const child = fork(fileURLToPath(new URL("./entry.js", import.meta.url)), {
    // Typed arrays and NaN survive.
    serialization: "advanced",
    ...(execArgv !== undefined && { execArgv: [...execArgv] }),
  });
  const abort = (): void => send(child, { type: "abort" });
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      let outcome: { readonly error?: Error } | undefined;
      const fail = (error: unknown): void => {
        outcome = { error: error instanceof Error ? error : new Error(messageOf(error)) };
        // It ends when nobody listens any more. A signal would only interrupt what it measures,
        // and it would wait for an answer for ever.
        if (child.connected) child.disconnect();
      };
      child.on("message", (raw) => {
        const message = raw as FromProcess;
        switch (message.type) {
          case "progress":
            return report(message.progress);
          case "call":
            return void answer(child, sink, message).catch(fail);
          case "done":
            outcome = {};
            return;
          case "failed":
            outcome = { error: StreamgaugeError.fromWire(message.error) };
            return;
          default:
            return message satisfies never;
        }
      });
      child.on("error", reject);
      child.on("exit", (code, killer) => {
        if (outcome === undefined) reject(endedUnasked(order.process, code, killer));
        else if (outcome.error === undefined) resolve();
        else reject(outcome.error);
      });
      send(child, { type: "measure", ...order });
      if (signal?.aborted === true) abort();
    });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}

async function answer(
  child: ChildProcess,
  sink: RunSink,
  { call, method, args }: Extract<FromProcess, { type: "call" }>,
): Promise<void> {
  const value = await (sink[method] as (...args: readonly unknown[]) => unknown)(...args);
  send(child, { type: "answer", call, value });
}

function send(child: ChildProcess, message: ToProcess): void {
  // One that has ended needs nothing more.
  if (child.connected) child.send(message, () => undefined);
}

function endedUnasked(
  index: number,
  code: number | null,
  killer: NodeJS.Signals | null,
): StreamgaugeError {
  return new StreamgaugeError(
    "PROCESS_FAILED",
    `Process ${index} of the run ended with ${killer ?? `code ${code}`} before it was done. What ` +
      `was measured is kept: run the bench again with --resume and the record's folder.`,
  );
}
