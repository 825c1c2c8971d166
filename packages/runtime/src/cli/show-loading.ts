import { clearLine, cursorTo } from "node:readline";
import type { RuntimeLoadProgress } from "../host/options.js";

/** What was opened, and what that took. */
export interface Loaded<T> {
  readonly opened: T;
  /** `loaded in 412 ms, 140 MiB per worker`: what the process's resident set has grown by. */
  readonly cost: string;
}

/**
 * Opens a model. On a terminal a line says meanwhile how far each worker is, and goes
 * when that has ended; elsewhere nothing is written.
 *
 * @param workers how many share the memory; undefined where the calling thread loads
 */
export async function showLoading<T>(
  stream: NodeJS.WriteStream,
  workers: number | undefined,
  open: (onProgress: (progress: RuntimeLoadProgress) => void) => Promise<T>,
): Promise<Loaded<T>> {
  const stages = new Map<number, string>();
  const show = (text: string): void => {
    if (!stream.isTTY) return;
    cursorTo(stream, 0);
    clearLine(stream, 0);
    stream.write(text);
  };
  const residentBefore = process.memoryUsage.rss();
  const startedAt = performance.now();
  show("Loading the model…");
  try {
    const opened = await open(({ threadId, stage }) => {
      stages.set(threadId, stage);
      show(`Loading the model: ${[...stages.values()].join(", ")}`);
    });
    const milliseconds = Math.round(performance.now() - startedAt);
    const bytes = Math.max(0, process.memoryUsage.rss() - residentBefore) / (workers ?? 1);
    const share = workers === undefined ? "" : " per worker";
    const cost = `loaded in ${milliseconds} ms, ${Math.round(bytes / 2 ** 20)} MiB${share}`;
    return { opened, cost };
  } finally {
    show("");
  }
}
