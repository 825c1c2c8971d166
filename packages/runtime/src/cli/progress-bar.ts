import { SingleBar } from "cli-progress";

/** A live line on a terminal, which is gone when it is stopped. */
export function startBar(stream: NodeJS.WriteStream, format: string, total: number): SingleBar {
  const bar = new SingleBar({
    stream,
    format,
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
  });
  bar.start(total, 0, { what: "" });
  return bar;
}
