import { SingleBar } from "cli-progress";
import type { BenchProgress } from "./progress.js";

/** Where a run is that has no blocks. */
export type PlainProgress = Pick<BenchProgress, "subject" | "fractionDone" | "secondsLeft">;

/** Shows where a run is. */
export interface ProgressDisplay {
  update(progress: BenchProgress | PlainProgress): void;
  /** Leaves the cursor on a line of its own. To be called once. */
  stop(): void;
}

/** Time between two lines where there is no terminal. */
const lineEveryMilliseconds = 5000;

/**
 * A live bar on a terminal; elsewhere (a pipe, a task runner, CI) a plain line
 * now and then, at most one per five seconds and one for each new subject.
 */
export function createProgressDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? barOn(stream) : linesOn(stream, () => performance.now());
}

function barOn(stream: NodeJS.WriteStream): ProgressDisplay {
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
      bar.update(Math.floor(progress.fractionDone * 100), { what: describeProgress(progress) }),
    stop: () => bar.stop(),
  };
}

/** @param nowMilliseconds a monotonic clock */
export function linesOn(
  stream: Pick<NodeJS.WritableStream, "write">,
  nowMilliseconds: () => number,
): ProgressDisplay {
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
      stream.write(`${String(percent).padStart(3)} %  ${describeProgress(progress)}\n`);
    },
    stop: () => undefined,
  };
}

function describeProgress(progress: BenchProgress | PlainProgress): string {
  const { secondsLeft } = progress;
  const left = secondsLeft === undefined ? "" : `, ${showSeconds(secondsLeft)} left`;
  if (!("phase" in progress)) return `${progress.subject}${left}`;
  const { process } = progress;
  const part = process === undefined ? "" : `process ${process.index + 1} of ${process.count}, `;
  return `${part}${progress.subject}: ${describePhase(progress)}${left}`;
}

function describePhase({ phase, block, blocks }: BenchProgress): string {
  switch (phase) {
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
