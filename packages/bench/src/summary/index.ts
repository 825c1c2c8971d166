/**
 * What a run says at its end, as data and as sentences: made once, and shown by the
 * terminal, `streamgauge bench --json` and the page of `@streamgauge/report`.
 *
 * @module
 */
export {
  answerSentences,
  answerTable,
  answerTitle,
  type AnswerRoom,
  type AnswerSentence,
} from "./answer.js";
export type { FailureSummary } from "./attention-summary.js";
export type { ClaimSummary } from "./claim-summary.js";
export type { NextStep, RunPlace } from "./next-step.js";
export {
  summarize,
  summarySchema,
  summaryVersion,
  type MachineSummary,
  type RunSummary,
} from "./run-summary.js";
export {
  headlineCell,
  ordinaryTokenMilliseconds,
  type LatencyPair,
  type ModeSummary,
  type StreamingSummary,
} from "./streaming-summary.js";
export type { TransportSummaryLine } from "./transport-summary.js";
