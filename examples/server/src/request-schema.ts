import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { HttpFailure } from "./http-failure.js";

/** What the bodies of both endpoints have. */
export interface CommonBody {
  readonly model: string;
  readonly stream?: boolean | undefined;
  readonly stream_options?: StreamOptions | undefined;
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly top_k?: number | undefined;
  readonly min_p?: number | undefined;
  readonly typical_p?: number | undefined;
  readonly repetition_penalty?: number | undefined;
  readonly presence_penalty?: number | undefined;
  readonly frequency_penalty?: number | undefined;
  readonly no_repeat_ngram_size?: number | undefined;
  readonly logit_bias?: object | undefined;
  readonly seed?: number | undefined;
  readonly stop?: string | string[] | undefined;
  readonly stop_token_ids?: number[] | undefined;
  readonly min_tokens?: number | undefined;
  readonly max_tokens?: number | undefined;
  readonly ignore_eos?: boolean | undefined;
  readonly user?: string | undefined;
}

interface StreamOptions {
  readonly include_usage?: boolean | null | undefined;
  readonly continuous_usage_stats?: boolean | null | undefined;
}

/** A body of `/v1/completions` that has the right form. */
export interface CompletionBody extends CommonBody {
  readonly prompt: string | number[];
}

/** A body of `/v1/chat/completions` that has the right form. */
export interface ChatBody extends CommonBody {
  readonly max_completion_tokens?: number | undefined;
  readonly messages: readonly {
    readonly role: "developer" | "system" | "user" | "assistant";
    readonly content: string | readonly { readonly text: string }[];
  }[];
}

const tokenCount = z.int().min(1);
const penalty = z.number().min(-2).max(2);
const stopText = z.string().min(1);
const tokenId = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);

/** What both endpoints take. Behind the names of OpenAI are those that vLLM and others add. */
const common = {
  model: z.string(),
  stream: z.boolean().optional(),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().nullish(),
      include_obfuscation: z.literal(false).nullish(),
      continuous_usage_stats: z.boolean().nullish(),
    })
    .optional(),
  max_tokens: tokenCount.optional(),
  temperature: z.number().min(0).max(2).optional(),
  top_p: z.number().gt(0).max(1).optional(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .optional(),
  stop: z
    .union([stopText, z.array(stopText).max(16)], {
      error: "expected a text, or up to 16, that are not empty",
    })
    .optional(),
  presence_penalty: penalty.optional(),
  frequency_penalty: penalty.optional(),
  logit_bias: z.custom<object>(isRecord, { error: "expected an object" }).optional(),
  user: z.string().max(256).optional(),
  // 0 and -1 are all ids.
  top_k: z.int().min(-1).optional(),
  min_p: z.number().min(0).max(1).optional(),
  typical_p: z.number().gt(0).max(1).optional(),
  repetition_penalty: z.number().gt(0).optional(),
  no_repeat_ngram_size: z.int().min(0).optional(),
  min_tokens: z.int().min(0).optional(),
  ignore_eos: z.boolean().optional(),
  stop_token_ids: z.array(tokenId).max(1_000).optional(),
};

const completionSchema: z.ZodType<CompletionBody> = z.strictObject({
  ...common,
  prompt: z.union([z.string(), z.array(tokenId)], {
    error: "expected a string or an array of token ids; several prompts are not supported",
  }),
});

const messageText = z.union(
  [z.string(), z.array(z.strictObject({ type: z.literal("text"), text: z.string() })).min(1)],
  { error: "expected a string or an array of text parts" },
);

const chatSchema: z.ZodType<ChatBody> = z.strictObject({
  ...common,
  max_completion_tokens: tokenCount.optional(),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(["developer", "system", "user", "assistant"]),
        content: messageText,
      }),
    )
    .min(1),
});

/** @throws HttpFailure 400 naming the field */
export function readCompletionBody(body: unknown): CompletionBody {
  const given = withoutNothing(body);
  const { prompt } = given as { readonly prompt?: unknown };
  // Load tools send a list of prompts with one in it.
  const only: unknown = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : undefined;
  const isOne = typeof only === "string" || Array.isArray(only);
  return check(completionSchema, isOne ? { ...given, prompt: only } : given);
}

/** @throws HttpFailure 400 naming the field */
export function readChatBody(body: unknown): ChatBody {
  const given = withoutNothing(body);
  const { messages } = given as { readonly messages?: unknown };
  if (!Array.isArray(messages)) return check(chatSchema, given);
  return check(chatSchema, { ...given, messages: messages.map(messageWithoutNothing) });
}

/** What the interface has and this server has not, with the values that change nothing. */
const neutralFields = new Map<string, readonly unknown[]>(
  Object.entries({
    add_generation_prompt: [true],
    best_of: [1],
    chat_template_kwargs: [{}],
    continue_final_message: [false],
    early_stopping: [false],
    echo: [false],
    function_call: ["none", "auto"],
    functions: [[]],
    include_stop_str_in_output: [false],
    length_penalty: [1],
    logprobs: [false],
    metadata: [{}],
    modalities: [["text"]],
    n: [1],
    parallel_tool_calls: [true, false],
    priority: [0],
    response_format: [{ type: "text" }],
    return_token_ids: [false],
    return_tokens_as_token_ids: [false],
    service_tier: ["auto", "default"],
    skip_special_tokens: [true],
    spaces_between_special_tokens: [true],
    store: [false],
    suffix: [""],
    tool_choice: ["none", "auto"],
    tools: [[]],
    top_logprobs: [0],
    use_beam_search: [false],
  }),
);

/** The same of messages: what comes along when an answer is sent back. */
const neutralMessageFields = new Map<string, readonly unknown[]>(
  Object.entries({ annotations: [[]], tool_calls: [[]] }),
);

function withoutNothing(body: unknown): object {
  if (isRecord(body)) return dropNothing(body, neutralFields);
  throw new HttpFailure(400, "The body must be a JSON object.", { code: "invalid_type" });
}

function messageWithoutNothing(message: unknown): unknown {
  if (!isRecord(message)) return message;
  const said = dropNothing(message, neutralMessageFields);
  const { content } = said as { readonly content?: unknown };
  if (!Array.isArray(content)) return said;
  const parts = content.map((part: unknown) => (isRecord(part) ? dropNothing(part) : part));
  return { ...said, content: parts };
}

/** Null stands for "not given", as with OpenAI. */
function dropNothing(object: object, neutral?: typeof neutralFields): object {
  const asksForNothing = (name: string, value: unknown): boolean =>
    value === null || (neutral?.get(name)?.some((one) => isDeepStrictEqual(one, value)) ?? false);
  return Object.fromEntries(
    Object.entries(object).filter(([name, value]) => !asksForNothing(name, value)),
  );
}

function isRecord(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function check<T>(schema: z.ZodType<T>, given: object): T {
  const { data, error } = schema.safeParse(given);
  const issue = error?.issues[0];
  if (issue === undefined) return data as T;
  if (issue.code === "unrecognized_keys") {
    const name = z.core.toDotPath([...issue.path, issue.keys[0] ?? ""]);
    throw new HttpFailure(
      400,
      `This server does not support ${JSON.stringify(name)} with this value: leave it out.`,
      { param: name, code: "unsupported_parameter" },
    );
  }
  throw invalid(z.core.toDotPath(issue.path), issue.message);
}

/** The failure for a field whose value cannot be used. */
export function invalid(param: string, why: string): HttpFailure {
  return new HttpFailure(400, `"${param}" cannot be used: ${why}.`, {
    param,
    code: "invalid_value",
  });
}
