import type * as Transformers from "@huggingface/transformers";
import type * as LangChainMessages from "@langchain/core/messages";
import type * as LangChainModels from "@langchain/core/language_models/chat_models";
import type * as LangChainOutputs from "@langchain/core/outputs";
import type * as Ai from "ai";
import type * as OpenAi from "openai";

/** The packages that stacks are made of, none of which the bench needs otherwise. */
export interface Libraries {
  readonly ai: typeof Ai;
  readonly openai: typeof OpenAi;
  readonly "@langchain/core": Pick<typeof LangChainModels, "BaseChatModel"> &
    Pick<typeof LangChainMessages, "AIMessageChunk"> &
    Pick<typeof LangChainOutputs, "ChatGenerationChunk">;
  readonly "@huggingface/transformers": typeof Transformers;
}

/** Loads a package. @throws what its import throws */
export type LoadLibrary = <Name extends keyof Libraries>(name: Name) => Promise<Libraries[Name]>;

const loaders: { readonly [Name in keyof Libraries]: () => Promise<Libraries[Name]> } = {
  ai: () => import("ai"),
  openai: () => import("openai"),
  "@langchain/core": async () => {
    const { BaseChatModel } = await import("@langchain/core/language_models/chat_models");
    const { AIMessageChunk } = await import("@langchain/core/messages");
    const { ChatGenerationChunk } = await import("@langchain/core/outputs");
    return { BaseChatModel, AIMessageChunk, ChatGenerationChunk };
  },
  "@huggingface/transformers": () => import("@huggingface/transformers"),
};

/** Loads what is installed beside the bench. */
export const loadInstalled: LoadLibrary = (name) => loaders[name]();
