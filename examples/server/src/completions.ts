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
  const { runtime, model, deadlineMilliseconds } = service;
  const gone = new AbortController();
  // Emitted at the end of every response: then there is nothing left to stop.
  response.once("close", () => gone.abort());
  const body = await readJson(request, service.maxBodyBytes);
  const { recommendedSampling, chatTemplate } = runtime.describe();
  const asked = parseCompletionRequest(endpoint, body, {
    name: model,
    recommendedSampling,
    chatTemplate,
  });
  const { prompt } = asked;
  const config = {
    clientId: request.socket.remoteAddress ?? "",
    ...asked.config,
    deadlineMilliseconds,
    signal: gone.signal,
  };
  const about = {
    endpoint,
    id: `${endpoint === "chat" ? "chatcmpl" : "cmpl"}-${randomUUID()}`,
    createdSeconds: Math.floor(Date.now() / 1000),
    model,
  };
  if (!asked.stream) {
    const result = await runtime.generate(prompt, config);
    sendJson(response, 200, completion(about, result));
    return;
  }
  const tokens = runtime.generateStreamAsync(prompt, config);
  const events = toServerSentEvents(tokens, {
    ...about,
    includeUsage: asked.includeUsage,
    heartbeatMilliseconds,
  });
  // The status waits for the first event: until then a failure has one of its own.
  const reader = events.getReader();
  const first = await reader.read();
  reader.releaseLock();
  tokens.result.catch(service.onFailure);
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    // Asks nginx not to collect the events.
    "x-accel-buffering": "no",
  });
  if (first.value !== undefined) response.write(first.value);
  try {
    await pipeline(events, response);
  } catch (error) {
    // The client has gone, and the pipeline has cancelled the events.
    if (!response.destroyed) throw error;
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
