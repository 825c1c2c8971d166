import { latencySummary, type LatencySummary } from "./distribution.js";
import { array, number, object, oneOf, string, type Check } from "./shape.js";

/**
 * onnxruntime's operator profile, summed over nodes; the prompt's run is in it.
 * Each call's time was cut to whole microseconds.
 */
export interface OperatorFindings {
  readonly kind: "operators";
  /** The slowest first. */
  readonly operators: readonly {
    readonly operator: string;
    /** Over all observed generations. */
    readonly calls: number;
    readonly microsecondsPerToken: number;
    /** Of the time in all operators, 0 to 1. */
    readonly fraction: number;
  }[];
  /** Of the session's runs: what is not in an operator is onnxruntime's own. */
  readonly runMicrosecondsPerToken: number;
}

/** Where a token's time goes between the model and the user's code. */
export interface LedgerFindings {
  readonly kind: "ledger";
  /** In the order in which a token passes them. */
  readonly stages: readonly {
    readonly stage: "published" | "woken" | "delivered" | "callbackDone";
    /** Since the stage before; the first since the token was produced. */
    readonly latency: LatencySummary;
  }[];
  /**
   * End-to-end latency less what is accounted for: queue, prefill, decode and
   * the last token's way. What is left is the call and the end of the stream.
   * One value for each generation.
   */
  readonly residual: LatencySummary;
}

/** Checks {@link OperatorFindings}. */
export const operatorFindings: Check<OperatorFindings> = object({
  kind: oneOf("operators"),
  operators: array(
    object({ operator: string, calls: number, microsecondsPerToken: number, fraction: number }),
  ),
  runMicrosecondsPerToken: number,
});

/** Checks {@link LedgerFindings}. */
export const ledgerFindings: Check<LedgerFindings> = object({
  kind: oneOf("ledger"),
  stages: array(
    object({
      stage: oneOf("published", "woken", "delivered", "callbackDone"),
      latency: latencySummary,
    }),
  ),
  residual: latencySummary,
});
