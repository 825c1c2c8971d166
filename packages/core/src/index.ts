export { CollectingSink } from "./collecting-sink.js";
export {
  createGenerator,
  type Collection,
  type GenerationBackend,
  type GenerationRequest,
} from "./create-generator.js";
export {
  defaultMaxTokens,
  requestedOptions,
  resolveConfig,
  resolvePrompt,
  type GenerationConfig,
  type OptionalOption,
  type ResolvedConfig,
} from "./config.js";
export {
  StreamgaugeError,
  isStreamgaugeError,
  messageOf,
  type ErrorCode,
  type PartialGeneration,
  type StreamgaugeErrorOptions,
  type WireError,
} from "./errors.js";
export type {
  FinishReason,
  GenerationResult,
  GenerationSummary,
  Generator,
  Prompt,
  StopReason,
  StreamToken,
  Timings,
  TokenCallback,
  TokenLedger,
  TokenLogprob,
  TokenStream,
  Usage,
} from "./generator.js";
export { createTokenQueue, type TokenQueue } from "./token-queue.js";
export { failedSource, type TokenSink, type TokenSource } from "./token-source.js";
export { Transcript } from "./transcript.js";
