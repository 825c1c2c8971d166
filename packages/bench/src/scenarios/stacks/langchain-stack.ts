import type { ChatGenerationChunk } from "@langchain/core/outputs";
import { baselineName } from "./plain-stacks.js";
import type { Stack, TokenSource } from "./stack.js";

/** LangChain.js: `stream()` of a chat model of ours. */
export const langchainStack: Stack = {
  name: "LangChain.js stream",
  against: baselineName,
  library: "@langchain/core",
  socket: false,
  async open({ load }) {
    const { BaseChatModel, AIMessageChunk, ChatGenerationChunk } = await load("@langchain/core");
    class KnownTokens extends BaseChatModel {
      readonly #source: TokenSource;
      constructor(source: TokenSource) {
        super({});
        this.#source = source;
      }
      override _llmType(): string {
        return "known-tokens";
      }
      override _generate(): never {
        throw new Error("Only streams are measured.");
      }
      override async *_streamResponseChunks(): AsyncGenerator<ChatGenerationChunk> {
        const { stream, textOf } = this.#source;
        for await (const token of stream()) {
          const text = textOf(token);
          yield new ChatGenerationChunk({ message: new AIMessageChunk({ content: text }), text });
        }
      }
    }
    return async (source, take) => {
      for await (const { content } of await new KnownTokens(source).stream("known tokens")) {
        if (typeof content === "string" && content !== "") take(content);
      }
    };
  },
};
