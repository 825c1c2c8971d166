import { isDeepStrictEqual } from "node:util";
import type { ChatPrompt, GenerationConfig, Prompt } from "@streamgauge/core";
import type { RecommendedSampling } from "@streamgauge/runtime";
import { z } from "zod";
import { HttpFailure } from "./http-failure.js";

/** The two ways to ask for a completion. */
export type Endpoint = "chat" | "completions";

/** A request that was found to be right, in the library's words. */
export interface CompletionRequest {
  readonly endpoint: Endpoint;
  readonly prompt: Prompt;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly config: GenerationConfig;
}

/** What the server knows about the model it serves. */
export interface ServedModel {
  readonly name: string;
  readonly recommendedSampling: RecommendedSampling;
  /** Whether it takes conversations. */
  readonly chatTemplate: boolean;
}

/**
 * Checks a request's body. Null stands for "not given", as with OpenAI; whatever
 * this server cannot honour is refused, unless its value asks for nothing.
 *
 * @throws HttpFailure 400 naming the parameter; 404 for another model
 */
export function parseCompletionRequest(
  endpoint: Endpoint,
  body: unknown,
  model: ServedModel,
): CompletionRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new HttpFailure(400, "The body must be a JSON object.", { code: "invalid_type" });
  }
  const given = Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value !== null && !asksForNothing(name, value)),
  );
  const fields = endpoint === "chat" ? readChat(given, model) : readCompletion(given);
  if (fields.model !== model.name) {
    throw new HttpFailure(
      404,
      `The model ${JSON.stringify(fields.model)} does not exist; this server has "${model.name}".`,
      { param: "model", code: "model_not_found" },
    );
  }
  if (fields.stream_options !== undefined && fields.stream !== true) {
    throw invalid("stream_options", "it needs stream: true");
  }
  return {
    endpoint,
    prompt: fields.prompt,
    stream: fields.stream ?? false,
    includeUsage: fields.stream_options?.include_usage ?? false,
    config: {
      ...samplingOf(fields, model.recommendedSampling),
      ...(fields.maxTokens === undefined ? {} : { maxTokens: fields.maxTokens }),
      ...(fields.seed === undefined ? {} : { seed: fields.seed }),
      ...(fields.stop === undefined ? {} : { stop: fields.stop }),
      ...penaltiesOf(fields),
      ...(fields.user === undefined ? {} : { clientId: fields.user }),
    },
  };
}

const tokenCount = z.int().min(1);
const penalty = z.number().min(-2).max(2);
const stopText = z.string().min(1);

const common = {
  model: z.string(),
  stream: z.boolean().optional(),
  stream_options: z
    .strictObject({
      include_usage: z.boolean().nullish(),
      include_obfuscation: z.literal(false).nullish(),
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
  logit_bias: z.record(z.string(), z.number().min(-100).max(100)).optional(),
  user: z.string().max(256).optional(),
};

const completionSchema = z.strictObject({
  ...common,
  prompt: z.union(
    [
      z.string(),
      z.array(
        z
          .int()
          .min(0)
          .max(2 ** 31 - 1),
      ),
    ],
    {
      error: "expected a string or an array of token ids; several prompts are not supported",
    },
  ),
});

const messageText = z.union(
  [z.string(), z.array(z.strictObject({ type: z.literal("text"), text: z.string() })).min(1)],
  { error: "expected a string or an array of text parts" },
);

const chatSchema = z.strictObject({
  ...common,
  max_completion_tokens: tokenCount.optional(),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(["developer", "system", "user", "assistant"]),
        content: messageText,
        // Comes along when an answer's message is sent back.
        refusal: z.null().optional(),
      }),
    )
    .min(1),
});

function readCompletion(given: object) {
  const { max_tokens: maxTokens, ...fields } = check(completionSchema, given);
  return { ...fields, maxTokens };
}

function readChat(given: object, { chatTemplate }: ServedModel) {
  const { messages, max_tokens, max_completion_tokens, ...fields } = check(chatSchema, given);
  if (max_tokens !== undefined && max_completion_tokens !== undefined) {
    throw invalid("max_tokens", "it is the old name of max_completion_tokens, and both are given");
  }
  const chat = toChat(messages);
  return {
    ...fields,
    maxTokens: max_completion_tokens ?? max_tokens,
    // A model that was not trained for chats continues what was said, line by line.
    prompt: chatTemplate ? chat : chat.messages.map(({ content }) => content).join("\n"),
  };
}

function toChat(messages: z.infer<typeof chatSchema>["messages"]): ChatPrompt {
  return {
    messages: messages.map(({ role, content }) => ({
      // OpenAI's newer name, which templates do not know.
      role: role === "developer" ? "system" : role,
      content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
    })),
  };
}

/** The model's own advice is one set: whoever chooses a part chooses all of it. */
function samplingOf(
  fields: { readonly temperature?: number | undefined; readonly top_p?: number | undefined },
  recommended: RecommendedSampling,
): GenerationConfig {
  if (fields.temperature === undefined && fields.top_p === undefined) return recommended;
  const { temperature = 1, top_p: topP = 1 } = fields;
  if (topP === 1) return { temperature };
  if (temperature > 0) return { temperature, topP };
  throw invalid("top_p", "it has no effect at temperature 0: leave one of them out");
}

function penaltiesOf(fields: {
  readonly presence_penalty?: number | undefined;
  readonly frequency_penalty?: number | undefined;
  readonly logit_bias?: Readonly<Record<string, number>> | undefined;
}): GenerationConfig {
  const { presence_penalty, frequency_penalty, logit_bias } = fields;
  return {
    ...(presence_penalty === undefined ? {} : { presencePenalty: presence_penalty }),
    ...(frequency_penalty === undefined ? {} : { frequencyPenalty: frequency_penalty }),
    ...(logit_bias === undefined ? {} : { logitBias: logit_bias }),
  };
}

/** What OpenAI's interface has and this server has not, with the values that change nothing. */
const withoutEffect = new Map<string, readonly unknown[]>(
  Object.entries({
    best_of: [1],
    echo: [false],
    function_call: ["none"],
    functions: [[]],
    logprobs: [false],
    modalities: [["text"]],
    n: [1],
    parallel_tool_calls: [true, false],
    response_format: [{ type: "text" }],
    service_tier: ["auto", "default"],
    store: [false],
    suffix: [""],
    tool_choice: ["none"],
    tools: [[]],
    top_logprobs: [0],
  }),
);

function asksForNothing(name: string, value: unknown): boolean {
  return withoutEffect.get(name)?.some((neutral) => isDeepStrictEqual(neutral, value)) ?? false;
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

function invalid(param: string, why: string): HttpFailure {
  return new HttpFailure(400, `"${param}" cannot be used: ${why}.`, {
    param,
    code: "invalid_value",
  });
}
