// How servers that call themselves OpenAI-compatible stream. The streams are written for
// these tests after the cited reports and documents, and shortened.
import { delta, done, event, usage } from "./scripted-openai.js";

/** How a server answers a streamed request. */
export interface Dialect {
  readonly name: string;
  readonly body: string;
  readonly texts: readonly string[];
  readonly endpoint?: "completions";
  /** Of a stream that comes to its end. */
  readonly result?: Readonly<Record<string, unknown>>;
  /** Of one that does not: what the message has in it. */
  readonly failure?: string;
}

const azureFilter = { hate: { filtered: false, severity: "safe" } };
const text = (piece: string, finish: string | null = null): string =>
  event({ choices: [{ index: 0, text: piece, finish_reason: finish }] });

export const dialects: readonly Dialect[] = [
  {
    // A first chunk with null content, timings beside usage, and no blank line after [DONE].
    name: "llama.cpp",
    body:
      delta({ role: "assistant", content: null }) +
      delta({ content: "Call" }) +
      delta({ content: " me" }) +
      delta({}, "stop") +
      event({
        choices: [],
        usage: { prompt_tokens: 4, completion_tokens: 3 },
        timings: { predicted_n: 3 },
      }) +
      "data: [DONE]",
    texts: ["Call", " me"],
    result: { finishReason: "eos", usage: { promptTokens: 4, completionTokens: 3 }, terms: [] },
  },
  {
    // Before ggml-org/llama.cpp#16109 an error was a field of its own.
    name: "llama.cpp, an error as a field",
    body:
      delta({ content: "Call" }) +
      'error: {"code":400,"message":"the request exceeds the context","type":"x"}\n\n' +
      done,
    texts: ["Call"],
    failure: "reported an error: the request exceeds the context",
  },
  {
    // ggml-org/llama.cpp#14268: events that only one line end separates.
    name: "llama.cpp, events without a blank line between them",
    body: delta({ content: "a" }).trimEnd() + "\n" + delta({ content: "b" }, "stop") + done,
    texts: ["a", "b"],
    result: { finishReason: "eos" },
  },
  {
    // Text beside the finish reason (vllm-project/vllm#35705), usage in each chunk.
    name: "vLLM with continuous_usage_stats",
    body:
      event({
        choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
        usage: { prompt_tokens: 7, total_tokens: 7, completion_tokens: 0 },
      }) +
      event({
        choices: [{ index: 0, delta: { reasoning: "Hm" }, finish_reason: null }],
        usage: { prompt_tokens: 7, total_tokens: 8, completion_tokens: 1 },
      }) +
      event({
        choices: [{ index: 0, delta: { content: "Yes" }, finish_reason: "length" }],
        usage: { prompt_tokens: 7, total_tokens: 9, completion_tokens: 2 },
      }) +
      usage(7, 2) +
      done,
    texts: ["Hm", "Yes"],
    result: { finishReason: "length", usage: { promptTokens: 7, completionTokens: 2 }, terms: [] },
  },
  {
    name: "vLLM, an older error within the stream",
    body:
      text("Call") +
      event({ object: "error", message: "EngineDeadError", type: "Internal", code: 500 }) +
      done,
    endpoint: "completions",
    texts: ["Call"],
    failure: "reported an error: EngineDeadError",
  },
  {
    // foundation-model-stack/fms-guardrails-orchestrator#436
    name: "a proxy before vLLM, a named event with details",
    body:
      'event: error\ndata: {"code":400,"details":"logprobs of 21 is greater than 20"}\n\n' + done,
    texts: [],
    failure: "reported an error: logprobs of 21 is greater than 20",
  },
  {
    // ollama/ollama#4357: "" until there is a reason.
    name: "Ollama, finish_reason is an empty string",
    body:
      delta({ role: "assistant", content: " Hello" }, "") +
      delta({ role: "assistant", content: " there" }, "") +
      delta({ role: "assistant", content: "" }, "stop") +
      done,
    texts: [" Hello", " there"],
    result: { finishReason: "eos" },
  },
  {
    // docs.ollama.com/api/errors: once a response has started, an error is a line of JSON.
    name: "Ollama, an error as a bare line of JSON",
    body: delta({ content: "Yes" }, "") + '{"error":"an error was encountered"}\n',
    texts: ["Yes"],
    failure: "reported an error: an error was encountered",
  },
  {
    // No [DONE] before huggingface/text-generation-inference#2221; no space after "data:".
    name: "TGI without [DONE]",
    body: (delta({ content: "Call" }) + delta({ content: " me" }, "eos_token")).replaceAll(
      "data: ",
      "data:",
    ),
    texts: ["Call", " me"],
    result: { finishReason: "eos", usage: { promptTokens: Number.NaN, completionTokens: 2 } },
  },
  {
    // huggingface/text-generation-inference#2668
    name: "TGI, an error within the stream",
    body:
      delta({ content: "Call" }) +
      event({ error: "Request failed during generation: CUDA", error_type: "generation" }),
    texts: ["Call"],
    failure: "reported an error: Request failed during generation: CUDA",
  },
  {
    // sgl-project/sglang#3912: "" and null where OpenAI leaves fields out.
    name: "SGLang",
    body:
      event({
        choices: [
          {
            index: 0,
            delta: { role: null, content: "", reasoning_content: "Hm", tool_calls: null },
            logprobs: null,
            finish_reason: "",
            matched_stop: null,
          },
        ],
        usage: null,
      }) +
      delta({ content: "Yes", reasoning_content: null }, "") +
      event({ choices: [{ index: 0, delta: {}, finish_reason: "stop", matched_stop: 2 }] }) +
      usage(5, 3) +
      done,
    texts: ["Hm", "Yes"],
    result: { finishReason: "eos", usage: { promptTokens: 5, completionTokens: 3 }, terms: [] },
  },
  {
    // BerriAI/litellm#25492: the error, and [DONE] on the next line of the same event.
    name: "SGLang, an error instead of a stream",
    body:
      'data: {"error": {"object": "error", "message": "Requested token count exceeds", "code": 400}}\n' +
      done,
    texts: [],
    failure: "reported an error: Requested token count exceeds",
  },
  {
    // Both names of what is one thing; the last chunk has no delta.
    name: "LiteLLM",
    body:
      delta({ role: "assistant", content: null, reasoning_content: "Hm", reasoning: "Hm" }) +
      delta({ content: "Yes", tool_calls: null, function_call: null, audio: null }) +
      event({ choices: [{ index: 0, finish_reason: "stop" }] }) +
      event({
        choices: [{ index: 0, delta: {} }],
        usage: { prompt_tokens: 3, completion_tokens: 2 },
      }) +
      done,
    texts: ["Hm", "Yes"],
    result: { finishReason: "eos", usage: { promptTokens: 3, completionTokens: 2 }, terms: [] },
  },
  {
    // BerriAI/litellm#40578: such a stream became an empty success.
    name: "LiteLLM, an error and then [DONE]",
    body: event({ error: { message: "queue full", type: "None", code: "429" } }) + done,
    texts: [],
    failure: "reported an error: queue full",
  },
  {
    // openrouter.ai/docs/api-reference/streaming; `reasoning_details` repeat `reasoning`.
    name: "OpenRouter",
    body:
      ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n" +
      delta({
        role: "assistant",
        content: "",
        reasoning: "Hm",
        reasoning_details: [{ type: "reasoning.text", text: "Hm", format: null, index: 0 }],
      }) +
      ": OPENROUTER PROCESSING\n\n" +
      delta({ content: "", reasoning_details: [{ type: "reasoning.encrypted", data: "gA==" }] }) +
      delta({ content: "Yes" }) +
      event({
        choices: [{ delta: { content: "" }, finish_reason: "stop", native_finish_reason: "x" }],
      }) +
      event({
        choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
        usage: { prompt_tokens: 9, completion_tokens: 6, cost: 0 },
      }) +
      done,
    texts: ["Hm", "Yes"],
    result: { finishReason: "eos", usage: { promptTokens: 9, completionTokens: 6 }, terms: [] },
  },
  {
    // openrouter.ai/docs/api/reference/errors-and-debugging
    name: "OpenRouter, an error in the middle",
    body:
      delta({ content: "Yes" }) +
      event({
        error: { code: "server_error", message: "Provider disconnected" },
        choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }],
      }),
    texts: ["Yes"],
    failure: "reported an error: Provider disconnected",
  },
  {
    name: "OpenRouter, an error of the choice",
    body: event({
      choices: [
        {
          delta: { content: "" },
          finish_reason: "error",
          error: { code: 502, message: "Upstream is down" },
        },
      ],
    }),
    texts: [],
    failure: "reported an error: Upstream is down",
  },
  {
    // A first chunk without choices, and annotations without a delta (microsoft/autogen#6465).
    name: "Azure, with CRLF",
    body: (
      event({
        choices: [],
        id: "",
        prompt_filter_results: [{ content_filter_results: azureFilter }],
      }) +
      delta({ role: "assistant", content: "", refusal: null }) +
      delta({ content: "Ahab 🐋" }) +
      event({
        choices: [{ index: 0, finish_reason: null, content_filter_results: azureFilter }],
        usage: null,
      }) +
      delta({}, "stop") +
      usage(4, 2) +
      done
    ).replaceAll("\n", "\r\n"),
    texts: ["Ahab 🐋"],
    result: { finishReason: "eos", usage: { promptTokens: 4, completionTokens: 2 }, terms: [] },
  },
  {
    // BerriAI/litellm#16272, docs.mistral.ai/capabilities/reasoning
    name: "Mistral, parts of thinking and text",
    body:
      delta({ role: "assistant", content: "" }) +
      delta({ content: [{ type: "thinking", thinking: [{ type: "text", text: "Hm" }] }] }) +
      delta({
        content: [{ type: "thinking", thinking: [{ type: "text", text: "" }], closed: true }],
      }) +
      delta({ content: [{ type: "text", text: "Yes" }] }) +
      delta({ content: "." }, "stop") +
      usage(2, 9) +
      done,
    texts: ["Hm", "Yes", "."],
    result: { finishReason: "eos", usage: { promptTokens: 2, completionTokens: 9 }, terms: [] },
  },
  {
    name: "a server that splits an event into data lines, and keeps alive with empty ones",
    body:
      'data:\n\ndata: {"choices": [{"delta":\ndata: {"content": "one"}}]}\n\nevent: ping\ndata: {}\n\n' +
      'id: 3\nretry: 10\ndata: {"choices": [{"delta": {}, "finish_reason": "length"}]}\n\n' +
      done,
    texts: ["one"],
    result: { finishReason: "length" },
  },
  {
    name: "a server without finish_reason, with [DONE]",
    body: delta({ content: "a" }, "") + delta({ content: "b" }) + done,
    texts: ["a", "b"],
    result: {
      finishReason: "eos",
      terms: [
        'finishReason "eos" is inferred from 2 chunks with text, maxTokens 4: the server sent no ' +
          "finish_reason, but it ended with [DONE].",
        "completionTokens counts chunks with text, because the server sent no count.",
      ],
    },
  },
  {
    name: "a server without finish_reason and [DONE], with usage under other names",
    body:
      delta({ content: "a" }) +
      delta({ content: "b" }) +
      event({ choices: [{ delta: {} }], usage: { input_tokens: 3, output_tokens: 4 } }),
    texts: ["a", "b"],
    result: {
      finishReason: "length",
      usage: { promptTokens: 3, completionTokens: 4 },
      terms: [
        'finishReason "length" is inferred from 4 tokens, maxTokens 4: the server sent no ' +
          "finish_reason, but its response ended after its count of tokens.",
        "The server's counts of tokens are its input_tokens and output_tokens.",
      ],
    },
  },
  {
    name: "a stream that breaks off among continuous usage",
    body:
      event({ choices: [{ delta: { content: "a" } }], usage: { completion_tokens: 1 } }) +
      event({ choices: [{ delta: { content: "" } }], usage: { completion_tokens: 2 } }),
    texts: ["a"],
    failure: "without a finish_reason",
  },
  {
    name: "a stream without text, with [DONE]",
    body: delta({ role: "assistant", content: "" }) + event({ choices: [] }) + done,
    texts: [],
    failure: "without a finish_reason",
  },
  {
    name: "a last event without its blank line, which is whole",
    body: delta({ content: "a" }) + delta({}, "stop").trimEnd(),
    texts: ["a"],
    result: { finishReason: "eos" },
  },
  {
    name: "a last event that is cut",
    body: delta({ content: "a" }) + delta({}, "stop").trimEnd().slice(0, -3),
    texts: ["a"],
    failure: "without a finish_reason",
  },
];
