export type { OpenAIGenerator, OpenAIResult, OpenAITokenStream } from "./openai-result.js";
export type { OpenAIExtension, OpenAIOptions } from "./openai-server.js";
export { createOpenAIGenerator } from "./openai.js";
export type { TransformersModel, TransformersTokenizer } from "./transformers-model.js";
export { createTransformersGenerator, type TransformersOptions } from "./transformers.js";
