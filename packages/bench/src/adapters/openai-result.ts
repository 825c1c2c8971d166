import type {
  GenerationConfig,
  GenerationResult,
  Generator,
  Prompt,
  TokenCallback,
  TokenStream,
} from "@streamgauge/core";

/** A result, and in what terms its fields are to be understood. */
export interface OpenAIResult extends GenerationResult {
  /**
   * One sentence for each thing that is not in the server's usual words: a finish reason
   * that is inferred, counts under other names, or counts of chunks because the server
   * sent none. Often empty, and always for a generation that was stopped: its tokens
   * are the chunks that were delivered.
   */
  readonly terms: readonly string[];
}

/** Core's stream of tokens, with the terms of its result. */
export interface OpenAITokenStream extends TokenStream {
  /** As core's. */
  readonly result: Promise<OpenAIResult>;
}

/** Core's generator, with the terms of its results. */
export interface OpenAIGenerator extends Generator {
  /** Core's `generate()`: one request that is not streamed. */
  generate(prompt: Prompt, config?: GenerationConfig): Promise<OpenAIResult>;
  /** Core's `generateStream()`: a request that is streamed, each chunk with text a token. */
  generateStream(
    prompt: Prompt,
    onToken: TokenCallback,
    config?: GenerationConfig,
  ): Promise<OpenAIResult>;
  /** Core's `generateStreamAsync()`, over the same request as `generateStream()`. */
  generateStreamAsync(prompt: Prompt, config?: GenerationConfig): OpenAITokenStream;
}
