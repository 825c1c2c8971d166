import type { Runtime } from "@streamgauge/runtime";
import type { Diagnostics } from "../profile/thread-report.js";
import { needsRuntime } from "../plan/needs-runtime.js";

/**
 * The diagnostics of the calling thread. The runtime is loaded here and not
 * before, as in `open-generator.ts`.
 */
export const mainDiagnostics: Diagnostics = async (kind) => {
  const { startDiagnostic } = await needsRuntime(() => import("@streamgauge/runtime/diagnostics"));
  const diagnostic = await startDiagnostic(kind);
  return {
    stop: async () => [
      { thread: "main", clockOffsetMilliseconds: 0, report: await diagnostic.stop() },
    ],
  };
};

/** The diagnostics of a runtime's workers, which are called by their position. */
export function workerDiagnostics(runtime: Pick<Runtime, "startDiagnostic">): Diagnostics {
  return async (kind) => {
    const diagnostic = await runtime.startDiagnostic(kind);
    return {
      stop: async () =>
        (await diagnostic.stop()).map(({ clockOffsetMilliseconds, report }, position) => ({
          thread: `worker ${position}`,
          clockOffsetMilliseconds,
          report,
        })),
    };
  };
}
