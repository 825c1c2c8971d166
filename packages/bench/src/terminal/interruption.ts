/**
 * Signals this close are one: a terminal sends it to a whole group of processes,
 * and a task runner in it passes it on once more.
 */
const sameSignalMilliseconds = 1000;

/** What the signals of a terminal come to. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** Leaves the signals to others again. */
  release(): void;
}

/**
 * Aborts at the first SIGINT or SIGTERM; the second one ends the process.
 *
 * @param whatFollows told to the user at the first, without a full stop
 */
export function interruptOnSignals(whatFollows: string): Interruption {
  const controller = new AbortController();
  let firstAt = 0;
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - firstAt > sameSignalMilliseconds) process.exit(130);
      return;
    }
    firstAt = performance.now();
    process.stderr.write(`\n${whatFollows}; interrupt again to exit at once.\n`);
    controller.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  return {
    signal: controller.signal,
    release: () => process.off("SIGINT", interrupt).off("SIGTERM", interrupt),
  };
}
