import type { OperatorFindings } from "../record/index.js";

/** One entry of onnxruntime's profile (Chrome's trace format). Only what is read; microseconds. */
export interface OperatorEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur?: number;
  readonly args?: { readonly op_name?: string };
}

/** What one run of the session took. */
export interface SessionRun {
  readonly microseconds: number;
  readonly operators: ReadonlyMap<
    string,
    { readonly calls: number; readonly microseconds: number }
  >;
}

/** Gathers events into runs of the session: a run's event comes after those of its operators. */
export class SessionRunReader {
  #operators = new Map<string, { calls: number; microseconds: number }>();

  /** Takes the next event. Returns the run that it ends, if it ends one. */
  read({ cat, name, dur = 0, args }: OperatorEvent): SessionRun | undefined {
    if (cat === "Node" && name.endsWith("_kernel_time")) {
      const operator = args?.op_name ?? "(unnamed)";
      const { calls, microseconds } = this.#operators.get(operator) ?? noCalls;
      this.#operators.set(operator, { calls: calls + 1, microseconds: microseconds + dur });
    }
    if (cat !== "Session" || name !== "model_run") return undefined;
    const operators = this.#operators;
    this.#operators = new Map();
    return { microseconds: dur, operators };
  }
}

const noCalls = { calls: 0, microseconds: 0 } as const;

/** @param tokens made by these runs, all together */
export function summarizeOperators(runs: readonly SessionRun[], tokens: number): OperatorFindings {
  const totals = new Map<string, { calls: number; microseconds: number }>();
  for (const run of runs) {
    for (const [operator, { calls, microseconds }] of run.operators) {
      const total = totals.get(operator) ?? noCalls;
      totals.set(operator, {
        calls: total.calls + calls,
        microseconds: total.microseconds + microseconds,
      });
    }
  }
  const all = [...totals.values()].reduce((sum, { microseconds }) => sum + microseconds, 0);
  return {
    kind: "operators",
    operators: [...totals]
      .map(([operator, { calls, microseconds }]) => ({
        operator,
        calls,
        microsecondsPerToken: microseconds / tokens,
        fraction: all === 0 ? 0 : microseconds / all,
      }))
      .toSorted((first, second) => second.microsecondsPerToken - first.microsecondsPerToken),
    runMicrosecondsPerToken: runs.reduce((sum, { microseconds }) => sum + microseconds, 0) / tokens,
  };
}
