/**
 * A language model for the Vercel AI SDK. Its types come from `@ai-sdk/provider`,
 * an optional peer; nothing of it is loaded when the program runs.
 *
 * @module
 */
export { createLanguageModel, type LanguageModelOptions } from "./language-model.js";
export type { LanguageModelDefaults } from "./call-options.js";
export type { PromptMessage, PromptRenderer } from "./prompt.js";
