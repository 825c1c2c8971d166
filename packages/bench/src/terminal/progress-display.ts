import { SingleBar } from "cli-progress";
import { terminalText } from "./terminal-text.js";
import type { BenchProgress } from "../run/progress.js";

/** What a display has to know of any progress. */
export interface Progress {
  readonly subject: string;
  /** 0 to 1. */
  readonly fractionDone: number;
}

/** Shows where a run is. */
export interface ProgressDisplay<P extends Progress> {
  update(progress: P): void;
  /** Leaves the cursor on a line of its own. To be called once. */
  stop(): void;
}

/** Time between two lines where there is no terminal. */
const lineEveryMilliseconds = 5000;

/**
 * A live bar on a terminal; elsewhere (a pipe, a task runner, CI) a plain line
 * now and then, at most one per five seconds and one for each new subject.
 */
export function createProgressDisplay<P extends Progress>(
  stream: NodeJS.WriteStream,
  describe: (progress: P) => string,
): ProgressDisplay<P> {
  return stream.isTTY
    ? barOn(stream, describe)
    : linesOn(stream, () => performance.now(), describe);
}

function barOn<P extends Progress>(
  stream: NodeJS.WriteStream,
  describe: (progress: P) => string,
): ProgressDisplay<P> {
  const bar = new SingleBar({
    stream,
    format: "{bar} {percentage} %  {what}",
    hideCursor: true,
    clearOnComplete: true,
    // Signals are the command's: the first one has a record to finish.
    gracefulExit: false,
    // Every redraw runs on the thread that is measured.
    fps: 2,
  });
  bar.start(100, 0, { what: "" });
  return {
    update: (progress) =>
      bar.update(Math.floor(progress.fractionDone * 100), {
        what: terminalText(describe(progress), { unicode: true }),
      }),
    stop: () => bar.stop(),
  };
}

/** @param nowMilliseconds a monotonic clock */
export function linesOn<P extends Progress>(
  stream: Pick<NodeJS.WritableStream, "write">,
  nowMilliseconds: () => number,
  describe: (progress: P) => string,
): ProgressDisplay<P> {
  let lastMilliseconds = -Infinity;
  let lastSubject = "";
  return {
    update(progress) {
      const now = nowMilliseconds();
      const isNew = progress.subject !== lastSubject;
      if (!isNew && now - lastMilliseconds < lineEveryMilliseconds) return;
      lastMilliseconds = now;
      lastSubject = progress.subject;
      const percent = Math.floor(progress.fractionDone * 100);
      const what = terminalText(describe(progress), { unicode: true });
      stream.write(`${String(percent).padStart(3)} %  ${what}\n`);
    },
    stop: () => undefined,
  };
}

/** Where a run of the bench is, in a line. */
export function describeProgress(progress: BenchProgress): string {
  const { process, secondsLeft, phase, subject } = progress;
  if (phase === "wait") return `${subject}: waiting, for at most ${showSeconds(secondsLeft ?? 0)}`;
  const part = process === undefined ? "" : `process ${process.index + 1} of ${process.count}, `;
  return `${part}${subject}: ${describePhase(progress)}${showTimeLeft(secondsLeft)}`;
}

/** The end of such a line: how long it will take, once that can be said. */
export function showTimeLeft(secondsLeft: number | undefined): string {
  return secondsLeft === undefined ? "" : `, ${showSeconds(secondsLeft)} left`;
}

function describePhase({ phase, block, blocks }: BenchProgress): string {
  switch (phase) {
    case "wait":
      return "waiting";
    case "open":
      return "loading";
    case "measurement":
      return "measuring";
    case "warm-up":
      return `warm-up block ${block}`;
    case "measure":
      return `block ${block} of ${blocks}`;
    default:
      return phase satisfies never;
  }
}

function showSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`;
}
