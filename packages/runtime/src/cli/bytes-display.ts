import { printable } from "@streamgauge/core";
import { startBar } from "./progress-bar.js";

/** Time between two lines where there is no terminal. */
const lineEveryMilliseconds = 5000;

/** Shows how far work over many bytes is. */
export interface BytesDisplay {
  update(doneBytes: number, totalBytes: number, what: string): void;
  stop(): void;
}

/** A live bar on a terminal; elsewhere a plain line now and then. */
export function createBytesDisplay(stream: NodeJS.WriteStream): BytesDisplay {
  const describe = (doneBytes: number, totalBytes: number, what: string): string =>
    `${megabytes(doneBytes)} of ${megabytes(totalBytes)}, ${printable(what)}`;
  const percent = (doneBytes: number, totalBytes: number): number =>
    totalBytes === 0 ? 0 : Math.floor((100 * doneBytes) / totalBytes);
  if (stream.isTTY) {
    const bar = startBar(stream, "{bar} {percentage} %  {what}", 100);
    return {
      update: (done, total, what) =>
        bar.update(percent(done, total), { what: describe(done, total, what) }),
      stop: () => bar.stop(),
    };
  }
  let lastMilliseconds = performance.now();
  return {
    update(done, total, what) {
      if (performance.now() - lastMilliseconds < lineEveryMilliseconds) return;
      lastMilliseconds = performance.now();
      const shown = String(percent(done, total)).padStart(3);
      stream.write(`${shown} %  ${describe(done, total, what)}\n`);
    },
    stop: () => undefined,
  };
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
