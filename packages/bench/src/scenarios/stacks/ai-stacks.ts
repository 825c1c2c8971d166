import type { LanguageModel, UIMessageChunk } from "ai";
import type { Libraries } from "./libraries.js";
import { baselineName } from "./plain-stacks.js";
import type { RunStack, Stack, TokenSource } from "./stack.js";

type Ai = Libraries["ai"];
type Model = Extract<LanguageModel, { readonly specificationVersion: "v4" }>;
type Part =
  Awaited<ReturnType<Model["doStream"]>>["stream"] extends ReadableStream<infer Each>
    ? Each
    : never;

/** The AI SDK: `streamText` over a model of ours, read in each of its ways. */
export const aiStacks: readonly Stack[] = [
  ai("ai textStream", ({ streamText }) => async (source, take) => {
    for await (const text of streamText(requestOf(source)).textStream) take(text);
  }),
  ai("ai smoothStream", ({ streamText, smoothStream }) => async (source, take) => {
    const { textStream } = streamText({
      ...requestOf(source),
      // Its default waits for 10 ms after each word; what is asked here is what it costs.
      experimental_transform: smoothStream({ delayInMs: null }),
    });
    for await (const text of textStream) take(text);
  }),
  ai("ai toUIMessageStream", (library) => async (source, take) => {
    for await (const chunk of uiChunks(library, source)) {
      if (chunk.type === "text-delta") take(chunk.delta);
    }
  }),
  ai("ai readUIMessageStream", (library) => async (source, take) => {
    let length = 0;
    const stream = uiChunks(library, source);
    for await (const { parts } of library.readUIMessageStream({ stream, terminateOnError: true })) {
      // Each message has the whole text so far.
      const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
      if (text.length > length) take(text.slice(length));
      length = text.length;
    }
  }),
];

function ai(name: string, create: (library: Ai) => RunStack): Stack {
  return {
    name,
    against: baselineName,
    library: "ai",
    socket: false,
    open: async ({ load }) => create(await load("ai")),
  };
}

function requestOf(source: TokenSource) {
  return { model: modelOf(source), prompt: "known tokens", maxRetries: 0 };
}

function uiChunks({ streamText, toUIMessageStream }: Ai, source: TokenSource) {
  const { stream } = streamText(requestOf(source));
  return toUIMessageStream({ stream }) as ReadableStream<UIMessageChunk> &
    AsyncIterable<UIMessageChunk>;
}

/** A model that answers with the source's tokens, each made when it is read. */
function modelOf({ tokens, stream, textOf }: TokenSource): Model {
  const id = "0";
  return {
    specificationVersion: "v4",
    provider: "streamgauge",
    modelId: "known-tokens",
    supportedUrls: {},
    doGenerate: () => Promise.reject(new Error("Only streams are measured.")),
    async doStream() {
      const iterator = stream()[Symbol.asyncIterator]();
      const parts = new ReadableStream<Part>(
        {
          start(controller) {
            controller.enqueue({ type: "stream-start", warnings: [] });
            controller.enqueue({ type: "text-start", id });
          },
          async pull(controller) {
            const { done, value } = await iterator.next();
            if (done !== true) {
              controller.enqueue({ type: "text-delta", id, delta: textOf(value) });
              return;
            }
            controller.enqueue({ type: "text-end", id });
            controller.enqueue({ type: "finish", ...endOf(tokens) });
            controller.close();
          },
          async cancel() {
            await iterator.return();
          },
        },
        { highWaterMark: 0 },
      );
      return { stream: parts };
    },
  };
}

function endOf(tokens: number) {
  return {
    finishReason: { unified: "length" as const, raw: undefined },
    usage: {
      inputTokens: { total: 2, noCache: 2, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: tokens, text: tokens, reasoning: 0 },
    },
  };
}
