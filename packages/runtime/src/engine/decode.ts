import {
  StreamgaugeError,
  type FinishReason,
  type GenerationRequest,
  type GenerationSummary,
  type ResolvedConfig,
  type ResolvedPrompt,
  type StreamToken,
  type TokenSink,
} from "@streamgauge/core";
import { createStopStrings } from "../text/stop-strings.js";
import type { Model, Sequence } from "./model.js";

/**
 * Runs one generation: prompt, then one step per token, until something ends it.
 * Asks the sink before each run whether it still wants tokens.
 *
 * @param calledAtMilliseconds when the user called, on this thread's clock
 * @throws StreamgaugeError `INVALID_PROMPT`, `PROMPT_TOO_LONG`, `INVALID_CONFIG`,
 *   `MODEL_UNSUPPORTED` for a chat template that fails, `ENGINE_FAILED`
 */
export async function decode(
  model: Model,
  { prompt, config }: GenerationRequest,
  sink: TokenSink,
  calledAtMilliseconds: number,
): Promise<GenerationSummary> {
  const startedAt = performance.now();
  checkConfig(config, model);
  const promptIds = await encode(prompt, config, model);
  checkPrompt(promptIds, model);
  const sequence = model.begin(config, promptIds);
  try {
    return await decodeSequence(model, sequence, promptIds, config, sink, {
      calledAtMilliseconds,
      startedAt,
    });
  } finally {
    sequence.end();
  }
}

async function decodeSequence(
  model: Model,
  sequence: Sequence,
  promptIds: readonly number[],
  config: ResolvedConfig,
  sink: TokenSink,
  { calledAtMilliseconds, startedAt }: { calledAtMilliseconds: number; startedAt: number },
): Promise<GenerationSummary> {
  const text = model.createDetokenizer();
  const stopStrings = createStopStrings(config.stop);
  const stopIds = new Set(config.stopTokenIds);

  let firstAt: number | undefined;
  let lastAt = startedAt;
  const ids = [...promptIds];
  let finishReason = await prefill(sequence, ids, sequence.cachedTokens, sink);
  let index = 0;
  for (; finishReason === undefined; index++) {
    const { id, logprob, topLogprobs } = sequence.choose();
    lastAt = performance.now();
    firstAt ??= lastAt;
    const endOfSequence = model.eosTokenIds.has(id);
    finishReason = reasonToEnd(id, index + 1, endOfSequence, promptIds.length, {
      config,
      stopIds,
      model,
    });
    const made = finishReason === undefined ? text.push(id) : text.push(id) + text.flush();
    let piece = stopStrings.push(made, index >= config.minTokens);
    if (stopStrings.found) finishReason = "stop";
    else if (finishReason !== undefined) piece += stopStrings.flush();
    const plainToken: StreamToken = {
      index,
      id,
      text: piece,
      endOfSequence,
      logprob,
      producedAtMilliseconds: lastAt,
    };
    const token = topLogprobs === undefined ? plainToken : { ...plainToken, topLogprobs };
    while (!sink.push(token)) {
      await sink.writable();
      if (sink.stopReason !== undefined) break;
    }
    finishReason ??= sink.stopReason;
    if (finishReason === undefined) {
      ids.push(id);
      if (sequence.startsAgain(1)) {
        finishReason = await prefill(sequence, ids, 0, sink);
        continue;
      }
      await sequence.advance([id]);
      finishReason = sink.stopReason;
    }
  }
  return {
    finishReason,
    promptTokens: promptIds.length,
    producedTokens: index,
    cachedTokens: sequence.cachedTokens,
    timings: {
      queueMilliseconds: Math.max(0, startedAt - calledAtMilliseconds),
      prefillMilliseconds: (firstAt ?? performance.now()) - startedAt,
      decodeMilliseconds: firstAt === undefined ? 0 : lastAt - firstAt,
    },
  };
}

async function encode(
  prompt: ResolvedPrompt,
  { plainPrompt }: ResolvedConfig,
  model: Model,
): Promise<readonly number[]> {
  if (typeof prompt === "string") {
    if (model.encode !== undefined) return model.encode(prompt, plainPrompt);
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      "The prompt is text, and this model has no tokenizer: give token ids, or add tokenizer.json " +
        "to the model's folder.",
    );
  }
  if (!("messages" in prompt)) return prompt;
  if (model.encodeChat !== undefined) return await model.encodeChat(prompt.messages, plainPrompt);
  throw new StreamgaugeError(
    "INVALID_PROMPT",
    "The prompt is a conversation, and this model has no chat template: give text or token ids, or " +
      "add chat_template.jinja and tokenizer.json to the model's folder.",
  );
}

async function prefill(
  sequence: Sequence,
  ids: readonly number[],
  start: number,
  sink: TokenSink,
): Promise<FinishReason | undefined> {
  for (let from = start; from < ids.length;) {
    if (sink.stopReason !== undefined) break;
    const pieceTokens = sequence.mostIdsAtOnce;
    // None is left alone at the end: kernels for one position round in their own way.
    const leavesOne = ids.length - from === pieceTokens + 1;
    const piece = ids.slice(from, from + pieceTokens - (leavesOne ? 1 : 0));
    await sequence.advance(piece);
    from += piece.length;
  }
  return sink.stopReason;
}

function reasonToEnd(
  id: number,
  completionTokens: number,
  endOfSequence: boolean,
  promptTokens: number,
  { config, stopIds, model }: { config: ResolvedConfig; stopIds: Set<number>; model: Model },
): FinishReason | undefined {
  if (endOfSequence && !config.ignoreEos) return "eos";
  if (stopIds.has(id)) return "stop";
  if (completionTokens >= config.maxTokens) return "length";
  if (promptTokens + completionTokens >= model.contextLength) return "context";
  return undefined;
}

function checkConfig({ stop, stopTokenIds, logitBias }: ResolvedConfig, model: Model): void {
  checkIds("stopTokenIds", stopTokenIds, model.vocabularySize, "INVALID_CONFIG");
  const biasedIds = logitBias.map(([id]) => id);
  checkIds("logitBias", biasedIds, model.vocabularySize, "INVALID_CONFIG");
  if (stop.length > 0 && model.encode === undefined) {
    throw new StreamgaugeError(
      "INVALID_CONFIG",
      `Option "stop" looks for texts, and this model has no tokenizer: use "stopTokenIds", or add ` +
        "tokenizer.json to the model's folder.",
    );
  }
}

function checkPrompt(ids: readonly number[], model: Model): void {
  if (ids.length === 0) {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      "The prompt has no tokens after tokenising: give text the tokenizer keeps, or token ids.",
    );
  }
  checkIds("prompt", ids, model.vocabularySize, "INVALID_PROMPT");
  if (ids.length >= model.contextLength) {
    throw new StreamgaugeError(
      "PROMPT_TOO_LONG",
      `The prompt has ${ids.length} tokens, and the model's context is ${model.contextLength}, ` +
        `which must hold at least one more: shorten the prompt to ${model.contextLength - 1}.`,
    );
  }
}

function checkIds(
  name: string,
  ids: readonly number[],
  vocabularySize: number,
  code: "INVALID_PROMPT" | "INVALID_CONFIG",
): void {
  const position = ids.findIndex((id) => id >= vocabularySize);
  if (position === -1) return;
  throw new StreamgaugeError(
    code,
    `Id ${ids[position]} at position ${position} of ${name} is not in the vocabulary of the ` +
      `model's graph, whose ids go from 0 to ${vocabularySize - 1}. Leave it out, or the text that ` +
      `becomes it.`,
  );
}
