import { randomInt } from "node:crypto";
import { isatty } from "node:tty";
import { interruptOnSignals } from "../terminal/interruption.js";
import { createProgressDisplay, type Progress } from "../terminal/progress-display.js";

/** What long work is given. */
export interface Watch<P extends Progress> {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: P) => void;
}

/**
 * Does long work with a progress display, and interrupts it at the first SIGINT or
 * SIGTERM. Only one at a time.
 *
 * @param told `whatFollows`: said at the signal, without a full stop; `describe`: a line
 *   of the display
 * @throws what the work throws
 */
export async function interruptible<P extends Progress, Result>(
  told: {
    readonly whatFollows: string;
    readonly describe: (progress: P) => string;
    /** Without a display. */
    readonly isQuiet?: boolean;
  },
  work: (watch: Watch<P>) => Promise<Result>,
): Promise<Result> {
  const interruption = interruptOnSignals(told.whatFollows);
  const display =
    told.isQuiet === true ? undefined : createProgressDisplay(process.stderr, told.describe);
  try {
    return await work({
      signal: interruption.signal,
      onProgress: (progress) => display?.update(progress),
    });
  } finally {
    display?.stop();
    interruption.release();
  }
}

/** A command that works for minutes and then says whether something held. */
export interface EnduranceRun<P extends Progress, Report> {
  /** Said at the first signal, without a full stop. */
  readonly whatFollows: string;
  /** A line of the progress display. */
  readonly describe: (progress: P) => string;
  readonly run: (watch: Watch<P>) => Promise<Report>;
  /** Said on stderr instead of the report, when it was interrupted. Default: the report is shown. */
  readonly ifInterrupted?: string;
  readonly render: (report: Report, options: { readonly unicode: boolean }) => string;
  readonly holds: (report: Report) => boolean;
  /** Whether what was seen before a signal can show that something is wrong. Default false. */
  readonly isJudgedIfInterrupted?: boolean;
}

/**
 * Runs it, and prints its report.
 *
 * @returns the exit code: 0 when it holds, 1 when it does not, 130 when it was interrupted
 */
export async function endureInTerminal<P extends Progress, Report>(
  endurance: EnduranceRun<P, Report>,
): Promise<number> {
  const { ifInterrupted, isJudgedIfInterrupted = false } = endurance;
  const { report, interrupted } = await interruptible(endurance, async (watch: Watch<P>) => {
    const made = await endurance.run(watch);
    return { report: made, interrupted: watch.signal.aborted };
  });
  if (interrupted && ifInterrupted !== undefined) {
    process.stderr.write(`${ifInterrupted}\n`);
    return 130;
  }
  process.stdout.write(endurance.render(report, { unicode: isatty(process.stdout.fd) }));
  const holds = endurance.holds(report);
  if (!holds && isJudgedIfInterrupted) return 1;
  if (interrupted) return 130;
  return holds ? 0 : 1;
}

/** The seed that was asked for, or a drawn one. */
export function seedOf(given: number | undefined): number {
  return given ?? randomInt(2 ** 31);
}
