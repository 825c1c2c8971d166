export {
  completionFinishReason,
  completionUsage,
  type CompletionChunkOptions,
  type CompletionFinishReason,
  type CompletionUsage,
} from "./adapters/completion-chunks.js";
export { toNodeReadable, type NodeReadableOptions } from "./adapters/node-readable.js";
export { toByteStream, toReadableStream, toTextStream } from "./adapters/readable-stream.js";
export {
  formatServerSentEvent,
  toServerSentEvents,
  type CompletionEventOptions,
  type ServerSentEvent,
} from "./adapters/server-sent-events.js";
export { teeTokens, type TeeOptions } from "./adapters/tee.js";
export { CollectingSink } from "./collecting-sink.js";
export {
  createGenerator,
  type Collection,
  type GenerationBackend,
  type GenerationRequest,
  type StoppableGenerator,
} from "./create-generator.js";
export {
  defaultMaxTokens,
  generationOptionNames,
  requestedOptions,
  resolveConfig,
  type GenerationConfig,
  type OptionalOption,
  type ResolvedConfig,
} from "./config.js";
export type { ErrorCode, StreamgaugeErrorCodes } from "./error-codes.js";
export {
  StreamgaugeError,
  isStreamgaugeError,
  messageOf,
  type PartialGeneration,
  type StreamgaugeErrorOptions,
  type WireError,
} from "./errors.js";
export { isStopReason } from "./generator.js";
export type {
  ChatMessage,
  ChatPrompt,
  FinishReason,
  GenerationResult,
  GenerationSummary,
  Generator,
  Prompt,
  StopReason,
  StreamToken,
  Timings,
  TokenCallback,
  TokenIterator,
  TokenLedger,
  TokenLogprob,
  TokenStream,
  Usage,
} from "./generator.js";
export {
  booleanCheck,
  choiceCheck,
  countCheck,
  functionCheck,
  integerCheck,
  numberCheck,
  signalCheck,
  textCheck,
  type OptionCheck,
} from "./option-checks.js";
export {
  invalidOption,
  readOptions,
  type InvalidOptionCode,
  type OptionEntry,
  type OptionNaming,
  type OptionTable,
  type ResolvedOptions,
} from "./option-table.js";
export { printable, printableJson } from "./printable.js";
export { resolvePrompt, type ResolvedPrompt } from "./prompt.js";
export { spreadSeed } from "./spread-seed.js";
export { createTokenQueue, type TokenQueue } from "./token-queue.js";
export {
  failedSource,
  neverBegan,
  stoppedSource,
  type TokenSink,
  type TokenSource,
} from "./token-source.js";
export { Transcript } from "./transcript.js";
