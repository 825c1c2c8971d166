import {
  CollectingSink,
  createTokenQueue,
  type GenerationBackend,
  type GenerationRequest,
  type GenerationSummary,
  type StopReason,
  type StreamToken,
  type TokenSink,
} from "@streamgauge/core";

/** A backend that "generates" numbers, and remembers what its consumers made it do. */
export interface ScriptedBackend extends GenerationBackend {
  /** Tokens made, over all generations. */
  made: number;
  /** Generations that have begun. */
  begun: number;
  /** Generations that are over. */
  ended: number;
}

export interface Script {
  /** Throws instead of making this token. */
  readonly failAt?: number;
  /** Room of the queue between producer and consumer. */
  readonly capacity?: number;
}

export function scriptedToken(index: number): StreamToken {
  return {
    index,
    id: index * 3,
    text: `<${index}>`,
    endOfSequence: false,
    logprob: -index,
    producedAtMilliseconds: undefined,
  };
}

/** Makes `config.maxTokens` tokens, each in a turn of its own. */
export function createScriptedBackend({ failAt, capacity = 4 }: Script = {}): ScriptedBackend {
  const backend: ScriptedBackend = {
    made: 0,
    begun: 0,
    ended: 0,
    stream: (request) => createTokenQueue((sink) => run(request, sink), capacity).source,
    collect(request) {
      let stopReason: StopReason | undefined;
      const sink = new CollectingSink(request.config.logprobs, () => stopReason);
      return {
        stop: (reason) => {
          stopReason ??= reason;
        },
        finished: sink.collect(run(request, sink)),
      };
    },
  };

  async function run({ config }: GenerationRequest, sink: TokenSink): Promise<GenerationSummary> {
    backend.begun += 1;
    let index = 0;
    try {
      for (; index < config.maxTokens; index++) {
        await new Promise((resolve) => setImmediate(resolve));
        if (sink.stopReason !== undefined) return summary(sink.stopReason, index);
        if (index === failAt) throw new Error("the engine broke");
        backend.made += 1;
        while (!sink.push(scriptedToken(index))) await sink.writable();
      }
      return summary("length", index);
    } finally {
      backend.ended += 1;
    }
  }

  return backend;
}

function summary(
  finishReason: GenerationSummary["finishReason"],
  producedTokens: number,
): GenerationSummary {
  return {
    finishReason,
    promptTokens: 1,
    producedTokens,
    timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
  };
}
