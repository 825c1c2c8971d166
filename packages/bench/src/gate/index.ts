/**
 * What others show of the gate: trials of it that were committed, and its comment.
 *
 * @module
 */
export type { BenchErrorCodes } from "../error-codes.js";
export { gateCommentMarker } from "./gate-markdown.js";
export { trialColumns, trialNote, trialRows, type TrialRow } from "./gate-trial.js";
export { readTrials, type GateTrials } from "./trial-file.js";
