import {
  StreamgaugeError,
  invalidOption,
  messageOf,
  type GenerationRequest,
  type ResolvedPrompt,
} from "@streamgauge/core";
import { AnswerStatus } from "./answer-status.js";
import { beginningOf } from "./body-text.js";
import { postOverHttp, postWith, type HttpAnswer, type SendPost } from "./http-answer.js";
import { asObject, parseJson } from "./json-values.js";
import { failureInBody, isFailure, quote, reportedError } from "./openai-failure.js";
import { isChat, isIds } from "./prompt-kinds.js";
import { notThere, refuseOptions } from "./refusal.js";
import { addressOf, worthHiding } from "./server-address.js";

/**
 * Fields outside of OpenAI's own interface that a server can be known to honour.
 * vLLM, SGLang and llama.cpp honour both; with `ignore_eos`, llama.cpp forbids
 * the end instead of passing over it. Servers tend to ignore fields they do not
 * know without a word, so nothing is sent that was not declared.
 */
export type OpenAIExtension = "top_k" | "ignore_eos";

/** Which endpoint to ask, and how. */
export interface OpenAIOptions {
  /**
   * What the endpoint's path is appended to, for example `http://127.0.0.1:8000/v1`. A query
   * stays behind the path; a name and password are sent as basic authorization.
   */
  readonly baseURL: string;
  /** The server's name of the model. */
  readonly model: string;
  /** Sent as a bearer token. "" is none. */
  readonly apiKey?: string | undefined;
  /** `completions` continues the prompt; `chat` sends its messages, or text as one of the user. */
  readonly endpoint: "completions" | "chat";
  /** Default: none. `runBench` sets `ignoreEos`, and so needs `ignore_eos`. */
  readonly extensions?: readonly OpenAIExtension[] | undefined;
  /** Makes the requests. Default: `node:http` and `node:https`, which follow no redirect. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/** The options, checked, as requests need them. */
export interface Server {
  /** Where requests go. */
  readonly address: string;
  /** For messages: {@link address} without its secrets. */
  readonly url: string;
  /** What no message may hold, though a server says it. */
  readonly secrets: readonly string[];
  readonly endpoint: OpenAIOptions["endpoint"];
  readonly model: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: ReadonlySet<OpenAIExtension>;
  readonly send: SendPost;
}

const paths = { completions: "completions", chat: "chat/completions" } as const;

const knownExtensions: readonly OpenAIExtension[] = ["top_k", "ignore_eos"];

/** @throws StreamgaugeError `INVALID_OPTION` */
export function resolveServer(options: OpenAIOptions): Server {
  const { baseURL, model, apiKey, endpoint, extensions = [], fetch } = options;
  if (!Object.hasOwn(paths, endpoint)) {
    throw invalidOption(`The endpoint is "${endpoint}"; it must be "completions" or "chat".`);
  }
  if (typeof model !== "string" || model === "") {
    throw invalidOption("The model must be the server's name of a model, such as its /models say.");
  }
  if (apiKey !== undefined && !/^[\x21-\x7E]*$/.test(apiKey)) {
    // Without the key, which is a secret.
    throw invalidOption(
      "The apiKey has characters that no header can carry: see what is around it.",
    );
  }
  for (const extension of extensions) {
    if (!knownExtensions.includes(extension)) {
      throw invalidOption(
        `There is no extension "${extension}". Extensions: ${knownExtensions.join(", ")}.`,
      );
    }
  }
  const address = addressOf(baseURL, paths[endpoint]);
  const isKeyed = apiKey !== undefined && apiKey !== "";
  if (isKeyed && address.authorization !== undefined) {
    throw invalidOption(
      "There are an apiKey and a name and password in the baseURL, and a request has room for " +
        "one: leave one of them out.",
    );
  }
  const authorization = isKeyed ? `Bearer ${apiKey}` : address.authorization;
  return {
    address: address.url,
    url: address.shown,
    secrets: worthHiding([...address.secrets, apiKey ?? ""]),
    endpoint,
    model,
    headers: {
      "content-type": "application/json",
      ...(authorization === undefined ? {} : { authorization }),
    },
    extensions: new Set(extensions),
    send: fetch === undefined ? postOverHttp : postWith(fetch),
  };
}

/** The error for a request that this endpoint cannot honour, and that is therefore not made. */
export function refuse(
  { prompt, config }: GenerationRequest,
  { endpoint, extensions }: Server,
): StreamgaugeError | undefined {
  if (endpoint === "chat" && isIds(prompt)) {
    return promptRefused("an array of token ids", { endpoint, instead: "completions" });
  }
  if (endpoint === "completions" && isChat(prompt)) {
    return promptRefused("a conversation", { endpoint, instead: "chat" });
  }
  const undeclared = (field: OpenAIExtension): string =>
    `it is not part of OpenAI's interface. If the server honours ${field}, ` +
    `name "${field}" in \`extensions\`; otherwise leave the option out.`;
  return refuseOptions(config, {
    stopTokenIds: "token ids are not known over HTTP. Leave it out.",
    logitBias: "token ids are not known over HTTP. Leave it out.",
    logprobs: "they would be of chunks, not of tokens. Leave it out.",
    topLogprobs: "they would be of chunks, not of tokens. Leave it out.",
    stop: `a server calls both a stop string and the model's own end "stop". Leave it out.`,
    topK: extensions.has("top_k") ? undefined : undeclared("top_k"),
    ignoreEos: extensions.has("ignore_eos") ? undefined : undeclared("ignore_eos"),
    minP: notThere,
    typicalP: notThere,
    repetitionPenalty: notThere,
    noRepeatNgramSize: notThere,
    minTokens: notThere,
    plainPrompt: "the server decides how it tokenises. Leave it out.",
    temperature: undefined,
    topP: undefined,
    presencePenalty: undefined,
    frequencyPenalty: undefined,
  });
}

/** Of a server, in a call that has no deadline. */
const longestSilenceMilliseconds = 300_000;

/**
 * Makes a request of the server.
 *
 * @throws StreamgaugeError `ENGINE_FAILED` when it cannot be reached, redirects, or answers with an error
 */
export async function post(
  server: Server,
  request: GenerationRequest,
  stream: boolean,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const { address, url, headers, send } = server;
  let answer: HttpAnswer;
  try {
    answer = await send(address, {
      headers: { ...headers, accept: stream ? "text/event-stream" : "application/json" },
      body: JSON.stringify(bodyOf(request, stream, server)),
      signal,
      silenceMilliseconds:
        request.config.deadlineMilliseconds === undefined ? longestSilenceMilliseconds : 0,
    });
  } catch (cause) {
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `${url} could not be reached (${describe(cause)}): ${remedyForConnection(cause)}.`,
      { cause },
    );
  }
  const { status, statusText } = answer;
  const isOk = status >= 200 && status < 300;
  const encoding = answer.headers["content-encoding"] ?? "identity";
  if (isOk && encoding === "identity") return answer;
  if (isOk) {
    answer.close();
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `${url} answered in the content-encoding "${quote(encoding)}", which was not asked for: ` +
        `switch off compression in the server, or in the proxy before it.`,
    );
  }
  const body = await beginningOf(answer);
  const said = encoding === "identity" ? failureInBody(body) : "";
  throw new StreamgaugeError(
    "ENGINE_FAILED",
    `${url} answered ${status} ${quote(statusText)}`.trimEnd() +
      `${said === "" ? "" : `: ${said}`} (${remedyFor(answer)})`,
    { cause: new AnswerStatus(status) },
  );
}

/**
 * The body of an answer to a request that is streamed.
 *
 * @throws StreamgaugeError `ENGINE_FAILED` with the server's own words for an answer
 *   that is not an event stream: gateways answer 200 with an error as JSON
 */
export async function eventStreamOf(
  answer: HttpAnswer,
  { url }: Server,
): Promise<AsyncIterable<Uint8Array>> {
  const type = answer.headers["content-type"] ?? "";
  if (type.toLowerCase().startsWith("text/event-stream")) return answer.body;
  const said = await beginningOf(answer);
  const object = asObject(parseJson(said));
  if (object !== undefined && isFailure(object)) throw reportedError(said, url);
  throw new StreamgaugeError(
    "ENGINE_FAILED",
    `${url} answered a streamed request with content-type "${quote(type)}" instead of ` +
      `"text/event-stream": use an endpoint that streams, or generate().` +
      (said.trim() === "" ? "" : ` It says "${quote(said)}".`),
  );
}

function bodyOf(
  { prompt, config }: GenerationRequest,
  stream: boolean,
  { model, endpoint }: Server,
): Readonly<Record<string, unknown>> {
  return {
    model,
    ...(endpoint === "chat" ? { messages: messagesOf(prompt) } : { prompt }),
    max_tokens: config.maxTokens,
    temperature: config.temperature,
    seed: config.seed,
    ...(config.topP === undefined ? {} : { top_p: config.topP }),
    ...(config.topK === undefined ? {} : { top_k: config.topK }),
    ...(config.presencePenalty === 0 ? {} : { presence_penalty: config.presencePenalty }),
    ...(config.frequencyPenalty === 0 ? {} : { frequency_penalty: config.frequencyPenalty }),
    ...(config.ignoreEos ? { ignore_eos: true } : {}),
    ...(stream ? { stream, stream_options: { include_usage: true } } : { stream }),
  };
}

function messagesOf(prompt: ResolvedPrompt): unknown {
  return isChat(prompt) ? prompt.messages : [{ role: "user", content: prompt }];
}

function promptRefused(
  what: string,
  { endpoint, instead }: { endpoint: string; instead: string },
): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_PROMPT",
    `The prompt is ${what}, which the endpoint "${endpoint}" does not take: give text, or use ` +
      `the endpoint "${instead}".`,
  );
}

function remedyFor({ status, headers }: HttpAnswer): string {
  if (status >= 300 && status < 400)
    return `use the baseURL that it redirects to${placeOf(headers)}`;
  if (status === 401 || status === 403) return "check the apiKey";
  if (status === 404) return "check the baseURL, the endpoint and the model's name";
  if (status === 429) return "the server limits requests: wait, or ask for a higher limit";
  if (status >= 500) return "see the server's log";
  return "change what the server objects to";
}

/** Without a query, name and password, which can be secrets. */
function placeOf({ location = "" }: HttpAnswer["headers"]): string {
  const shown = URL.canParse(location)
    ? `${new URL(location).origin}${new URL(location).pathname}`
    : location.replace(/[?#].*$/s, "");
  return shown === "" ? "" : `: ${quote(shown)}`;
}

function remedyForConnection(error: unknown): string {
  if (/certificate/i.test(describe(error))) {
    return (
      "give Node the certificate of whoever signed the server's, by the variable " +
      "NODE_EXTRA_CA_CERTS with its file"
    );
  }
  return "see whether the server runs, and whether the baseURL is right";
}

/** What happened, with the system's code. `fetch` hides it in the cause. */
export function describe(error: unknown): string {
  // Of several addresses of a host that all fail: the error of all has no words.
  if (error instanceof AggregateError && error.message === "") return describe(error.errors[0]);
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause !== undefined) return `${messageOf(error)}: ${messageOf(cause)}`;
  const message = messageOf(error);
  // Node says "aborted" where the server closed the connection.
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return code === "" || message.includes(code) ? message : `${message}, ${code}`;
}
