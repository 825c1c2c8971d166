import { trialSlowdowns } from "./gate-trial.js";
import type { GateOptions } from "./gate-options.js";
import { runGate, type GateOutcome } from "./run-gate.js";

/**
 * Gates one version against itself, with and without slowdowns, which take turns: a
 * machine that changes changes for all of them. An abort ends it; the gate that was
 * under way does not count.
 *
 * @param options of each gate but for its slowdown; its seed is that of the first
 * @param trial `runs`: gates of each slowdown; `onOutcome` is called after each gate
 *   with all so far, and awaited
 * @throws StreamgaugeError what the version throws
 */
export async function runSelfTest(
  options: GateOptions,
  trial: {
    readonly runs: number;
    readonly onOutcome?: (outcomes: readonly GateOutcome[]) => Promise<void>;
  },
): Promise<GateOutcome[]> {
  const outcomes: GateOutcome[] = [];
  const count = trial.runs * trialSlowdowns.length;
  for (let run = 0; run < count && options.signal?.aborted !== true; run += 1) {
    const outcome = await runGate({
      ...options,
      // Far apart: pairs count up from a gate's seed.
      seed: (options.seed + run * 1009) % 2 ** 31,
      slowdown: trialSlowdowns[run % trialSlowdowns.length] ?? 0,
      onProgress: ({ fractionDone }) =>
        options.onProgress?.({
          subject: `gate ${run + 1} of ${count}`,
          fractionDone: (run + fractionDone) / count,
        }),
    });
    if (outcome.interrupted) break;
    outcomes.push(outcome);
    await trial.onOutcome?.(outcomes);
  }
  return outcomes;
}
