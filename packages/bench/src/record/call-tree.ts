import { codeCategory, type CodeCategory } from "./code-category.js";
import { MismatchError, array, number, object, refined, string, type Check } from "./shape.js";

/**
 * Who called whom on one thread, and where its time went: what a flame graph
 * is drawn from. Time asleep and the profiler's own is left out; the other
 * times add up to the thread's busy time.
 */
export interface CallTree {
  /** As in `threads` of the same findings. */
  readonly thread: string;
  /**
   * Callers before those whom they call, the largest first. Those with little time
   * in and under them are not kept: their caller has one called `(rest)` instead.
   */
  readonly nodes: readonly CallTreeNode[];
}

/** A function, as it was called on one way. */
export interface CallTreeNode {
  /** Its index in the tree; -1 for whoever was called by nobody. */
  readonly caller: number;
  /** V8's for the function, or in brackets what is no function. */
  readonly name: string;
  /** From its package on, as `@streamgauge/runtime/dist/ring/sleep.js`; empty for native code. */
  readonly file: string;
  /** From 1; 0 for native code. */
  readonly line: number;
  readonly category: CodeCategory;
  /** Without those that it called. */
  readonly selfMicrosecondsPerToken: number;
  readonly selfSamples: number;
}

const nodes: Check<CallTree["nodes"]> = refined(
  array(
    object({
      caller: number,
      name: string,
      file: string,
      line: number,
      category: codeCategory,
      selfMicrosecondsPerToken: number,
      selfSamples: number,
    }),
  ),
  (callers, path) => {
    for (const [index, { caller }] of callers.entries()) {
      if (!Number.isInteger(caller) || caller < -1 || caller >= index) {
        throw new MismatchError(`${path}[${index}].caller`, "the index of a node before it, or -1");
      }
    }
  },
);

/** Checks a {@link CallTree}. */
export const callTree: Check<CallTree> = object({ thread: string, nodes });
