/**
 * A process whose memory is measured. Started by `memory-process.ts`.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { messageOf } from "@streamgauge/core";
import type {
  LoadAnswer,
  LoadTask,
  MemoryMessage,
  MemoryTask,
  PeakAnswer,
  PeakTask,
} from "./memory-protocol.js";
import { openLlama } from "./llama-engine.js";
import { closingOpened } from "../../plan/opened.js";
import { openOwn, takeTimed } from "./own-engine.js";
import { openPeer, type TimedIds } from "./peer-engine.js";
import { needsRuntime } from "../../plan/needs-runtime.js";

process.on("disconnect", () => process.exit(1));
process.on("message", (task) => void work(task as MemoryTask));

async function work(task: MemoryTask): Promise<void> {
  try {
    const answer = task.kind === "peak" ? await generate(task) : await load(task);
    send({ type: "answer", answer });
  } catch (error) {
    send({ type: "failed", message: messageOf(error) });
  }
  process.removeAllListeners("disconnect");
  process.disconnect();
}

async function generate(task: PeakTask): Promise<PeakAnswer> {
  const { engine, path, dtype, threads, spinning, prompt, tokens } = task;
  return await closingOpened(async (keep): Promise<PeakAnswer> => {
    const run = async (): Promise<TimedIds> => {
      if (engine === "streamgauge") {
        const own = keep(await openOwn(path, { dtype, threads, prefixReuse: false }));
        return await takeTimed(own, prompt, tokens);
      }
      const peer = keep(
        engine === "transformers.js"
          ? await openPeer(path, dtype, { threads, spinning })
          : await openLlama(path, { threads, contextTokens: prompt.length + tokens }),
      );
      return await peer.generate(prompt, tokens);
    };
    const { ids } = await run();
    return { kind: "peak", peakResidentBytes: peakResidentBytes(), ids };
  });
}

async function load({ folder, dtype, threads, workers }: LoadTask): Promise<LoadAnswer> {
  const { createRuntime } = await needsRuntime(() => import("@streamgauge/runtime"));
  const begun = new Map<number, { stage: string; at: number }[]>();
  const residentBefore = process.memoryUsage.rss();
  const start = performance.now();
  const runtime = await createRuntime({
    model: folder,
    dtype,
    threads,
    workers,
    onProgress: ({ stage, threadId }) => {
      const at = performance.now();
      begun.set(threadId, [...(begun.get(threadId) ?? []), { stage, at }]);
      send({ type: "progress", step: `${stage} after ${Math.round(at - start)} ms` });
    },
  });
  const loadMilliseconds = performance.now() - start;
  const addedResidentBytes = process.memoryUsage.rss() - residentBefore;
  const lastReady = [...begun.values()].toSorted(
    (first, second) => (second.at(-1)?.at ?? 0) - (first.at(-1)?.at ?? 0),
  )[0];
  // "ready" can come after the answer that it announces: the last stage ends with loading.
  const moments = [
    { stage: "starting the worker", at: start },
    ...(lastReady ?? []).filter(({ stage }) => stage !== "ready"),
  ];
  const stages = moments.map(({ stage, at }, index) => ({
    stage,
    milliseconds: (moments[index + 1]?.at ?? start + loadMilliseconds) - at,
  }));
  await runtime.close();
  return { kind: "load", stages, loadMilliseconds, addedResidentBytes };
}

/**
 * The largest resident set of this process. Where the system can tell, not
 * `resourceUsage().maxRSS`: on Linux that begins with what the process that
 * started this one had at that moment.
 */
function peakResidentBytes(): number {
  try {
    const [, kibibytes] =
      /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    if (kibibytes !== undefined) return Number(kibibytes) * 1024;
  } catch {
    // No such file: not Linux.
  }
  return process.resourceUsage().maxRSS * 1024;
}

function send(message: MemoryMessage): void {
  process.send?.(message);
}
