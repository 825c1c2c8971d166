import { messageOf } from "@streamgauge/core";
import type { RunningServer } from "./server.js";

/** How long completions may go on behind the first signal. */
const graceMilliseconds = 10_000;
/** A task runner passes on the signal that the terminal has sent already: that is not a second one. */
const sameSignalMilliseconds = 500;
/** 128 + the number of SIGINT, as shells have it. */
const interruptedExitCode = 130;

/** Closes the server at the first SIGINT or SIGTERM, and ends the process at the second. */
export function closeOnSignals(server: RunningServer): void {
  let firstAt: number | undefined;
  const onSignal = (): void => {
    const now = performance.now();
    if (firstAt !== undefined) {
      // The runtime's own exit handler lets each worker finish its step.
      if (now - firstAt > sameSignalMilliseconds) process.exit(interruptedExitCode);
      return;
    }
    firstAt = now;
    process.stdout.write("Closing: running completions may end (Ctrl-C again does not wait)\n");
    void close(server);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, onSignal);
}

async function close(server: RunningServer): Promise<void> {
  try {
    await server.close(graceMilliseconds);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(1);
  }
}
