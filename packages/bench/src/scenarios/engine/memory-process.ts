import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import type {
  LoadAnswer,
  LoadTask,
  MemoryMessage,
  MemoryTask,
  PeakAnswer,
  PeakTask,
} from "./memory-protocol.js";

/** The built module, also where a test imports this one's source. */
const entry = new URL("../../../dist/scenarios/engine/memory-entry.js", import.meta.url);

/** Who may end it, and who hears how far it is. */
export interface MemoryProcessOptions {
  readonly signal: AbortSignal | undefined;
  readonly report: ((step: string) => void) | undefined;
}

/**
 * Does one task in a fresh process, which has nothing else in its memory.
 *
 * @throws StreamgaugeError `ENGINE_FAILED` for what the task throws, `PROCESS_FAILED`
 *   when the process ends without an answer, also because it was aborted
 */
export async function runMemoryProcess(
  task: PeakTask,
  options: MemoryProcessOptions,
): Promise<PeakAnswer>;
export async function runMemoryProcess(
  task: LoadTask,
  options: MemoryProcessOptions,
): Promise<LoadAnswer>;
export async function runMemoryProcess(
  task: MemoryTask,
  { signal, report }: MemoryProcessOptions,
): Promise<PeakAnswer | LoadAnswer> {
  const child = fork(fileURLToPath(entry), {
    serialization: "advanced",
  });
  // A generator inside may be in the middle of a step: it has nothing to lose.
  const abort = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", abort, { once: true });
  try {
    return await new Promise((resolve, reject) => {
      let answer: PeakAnswer | LoadAnswer | undefined;
      let failure: string | undefined;
      child.on("message", (raw) => {
        const message = raw as MemoryMessage;
        if (message.type === "progress") report?.(message.step);
        else if (message.type === "answer") answer = message.answer;
        else failure = message.message;
      });
      child.on("error", reject);
      child.on("exit", (code, killer) => {
        if (answer !== undefined) return resolve(answer);
        reject(
          failure === undefined
            ? new StreamgaugeError(
                "PROCESS_FAILED",
                `The process whose memory is measured ended with ${killer ?? `code ${code}`} before it was done.`,
              )
            : new StreamgaugeError("ENGINE_FAILED", failure),
        );
      });
      child.send(task, () => undefined);
      if (signal?.aborted === true) abort();
    });
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
