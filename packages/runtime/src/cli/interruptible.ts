/** 128 + the number of the signal, as shells have it. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** What {@link interruptible} is told. */
export interface Interruption {
  /** Stopped when the work has ended, however it ended. */
  readonly display: { stop(): void };
  /** Written to standard error, as a line, when a signal has ended the work. */
  readonly message: string;
}

/**
 * Does a command's work, which Ctrl-C (SIGINT) and SIGTERM end. A second signal changes nothing: a
 * task runner can pass on one that the terminal has sent already.
 *
 * @param work gets a signal, and rejects with its reason once it is aborted
 * @returns what the work returns, also where a signal came too late for it; undefined where it was
 *   interrupted: the message is written and the exit code set
 * @throws what the work throws for other reasons
 */
export async function interruptible<Result extends {}>(
  work: (signal: AbortSignal) => Promise<Result>,
  { display, message }: Interruption,
): Promise<Result | undefined> {
  const interrupt = new AbortController();
  let interruptedBy: keyof typeof exitCodes | undefined;
  const onSignal = (signal: keyof typeof exitCodes): void => {
    interruptedBy ??= signal;
    interrupt.abort();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    return await work(interrupt.signal);
  } catch (error) {
    if (interruptedBy === undefined || error !== interrupt.signal.reason) throw error;
    display.stop();
    process.stderr.write(`${message}\n`);
    process.exitCode = exitCodes[interruptedBy];
    return undefined;
  } finally {
    display.stop();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}
