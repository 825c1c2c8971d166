import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import {
  completionFinishReason,
  completionUsage,
  toServerSentEvents,
  type GenerationResult,
} from "@streamgauge/core";
import type { Runtime } from "@streamgauge/runtime";
import {
  parseCompletionRequest,
  type CompletionRequest,
  type Endpoint,
} from "./completion-request.js";
import { watchConnection } from "./connection.js";
import { readJson } from "./read-json.js";
import { sendJson } from "./send.js";

/** What completions need to know of the server. */
export interface CompletionService {
  readonly runtime: Runtime;
  /** The model's name for clients. */
  readonly model: string;
  readonly maxBodyBytes: number;
  /** Most milliseconds for one completion, queueing included; then it is cut short. */
  readonly deadlineMilliseconds: number;
  /** Whether special tokens spelt out in messages count as such. Default false: they are plain text. */
  readonly specialTokensInMessages?: boolean | undefined;
  /** Told of failures that the client can see only in part. */
  readonly onFailure: (error: unknown) => void;
}

/** Proxies that close quiet connections wait longer than this. */
const heartbeatMilliseconds = 15_000;

/**
 * Answers a request for a completion, whole or as a stream of events. When the
 * client goes, the generation stops; when it reads slowly, the generation waits.
 *
 * @throws HttpFailure, or a `StreamgaugeError`, while nothing has been sent
 */
export async function answerCompletion(
  endpoint: Endpoint,
  request: IncomingMessage,
  response: ServerResponse,
  service: CompletionService,
): Promise<void> {
  const connection = watchConnection(request.socket);
  try {
    const asked = await readRequest(endpoint, request, service);
    await complete(asked, response, service, connection.signal);
  } finally {
    connection.release();
  }
}

async function readRequest(
  endpoint: Endpoint,
  request: IncomingMessage,
  { runtime, model, maxBodyBytes, specialTokensInMessages = false }: CompletionService,
): Promise<CompletionRequest> {
  const body = await readJson(request, maxBodyBytes);
  const { recommendedSampling, chatTemplate } = runtime.describe();
  const about = { name: model, recommendedSampling, chatTemplate, specialTokensInMessages };
  const asked = parseCompletionRequest(endpoint, body, about);
  const clientId = request.socket.remoteAddress ?? "";
  return { ...asked, config: { clientId, ...asked.config } };
}

/** @param gone aborted when the client has gone: then nothing is sent any more */
async function complete(
  { endpoint, prompt, stream, includeUsage, continuousUsage, config: asked }: CompletionRequest,
  response: ServerResponse,
  { runtime, model, deadlineMilliseconds, onFailure }: CompletionService,
  gone: AbortSignal,
): Promise<void> {
  const config = { ...asked, deadlineMilliseconds, signal: gone };
  const about = {
    endpoint,
    id: `${endpoint === "chat" ? "chatcmpl" : "cmpl"}-${randomUUID()}`,
    createdSeconds: Math.floor(Date.now() / 1000),
    model,
  };
  if (!stream) {
    const result = await runtime.generate(prompt, config);
    if (!gone.aborted) sendJson(response, 200, completion(about, result));
    return;
  }
  const tokens = runtime.generateStreamAsync(prompt, config);
  const events = toServerSentEvents(tokens, {
    ...about,
    includeUsage,
    continuousUsage,
    heartbeatMilliseconds,
  });
  // The status waits for the first event: until then a failure has one of its own.
  const reader = events.getReader();
  const first = await reader.read();
  reader.releaseLock();
  tokens.result.catch(onFailure);
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    // Asks nginx not to collect the events.
    "x-accel-buffering": "no",
  });
  if (first.value !== undefined) response.write(first.value);
  try {
    // A response that waits for the one before it is not told that its client has gone.
    await pipeline(events, response, { signal: gone });
  } catch (error) {
    // The client has gone, and the pipeline has cancelled the events.
    if (!gone.aborted && !response.destroyed) throw error;
  }
}

type About = Pick<CompletionRequest, "endpoint"> & {
  readonly id: string;
  readonly createdSeconds: number;
  readonly model: string;
};

function completion({ endpoint, id, createdSeconds, model }: About, result: GenerationResult) {
  const isChat = endpoint === "chat";
  const { text, finishReason, usage } = result;
  return {
    id,
    object: isChat ? "chat.completion" : "text_completion",
    created: createdSeconds,
    model,
    choices: [
      {
        index: 0,
        ...(isChat ? { message: { role: "assistant", content: text, refusal: null } } : { text }),
        logprobs: null,
        finish_reason: completionFinishReason(finishReason),
        native_finish_reason: finishReason,
      },
    ],
    usage: completionUsage(usage),
  };
}
