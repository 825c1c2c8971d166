import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";

/** What the process is told. */
export type BusyOrder = "spin" | "rest";
/** What it says when it does so. */
export type BusyAnswer = "spins" | "rests";

/** The built module, also where a test imports this one's source. */
const entry = new URL("../../../dist/scenarios/engine/busy-core-entry.js", import.meta.url);

/** A process beside this one that can keep one core busy. */
export interface BusyCore {
  /**
   * Keeps the core busy while something runs, and gives what that gives.
   *
   * @throws StreamgaugeError `PROCESS_FAILED` when the process has ended
   */
  during<Result>(run: () => Promise<Result>): Promise<Result>;
  /** Ends the process. */
  close(): Promise<void>;
}

/** Starts the process, which rests until it is asked. It ends with this one. */
export function startBusyCore(): BusyCore {
  const child = fork(fileURLToPath(entry));
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const order = async (what: BusyOrder): Promise<void> => {
    const answered = new Promise<true>((resolve) => child.once("message", () => resolve(true)));
    if (child.connected) child.send(what, () => undefined);
    if ((await Promise.race([answered, ended])) === true) return;
    throw new StreamgaugeError(
      "PROCESS_FAILED",
      "The process that keeps a core busy has ended. Run the measurement again.",
    );
  };
  return {
    async during(run) {
      await order("spin");
      try {
        return await run();
      } finally {
        await order("rest");
      }
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await ended;
    },
  };
}
