import { iterateTokens } from "./adapters/async-iterable.js";
import { deliverToCallback } from "./adapters/callback.js";
import { resolveConfig, type GenerationConfig, type ResolvedConfig } from "./config.js";
import { StreamgaugeError } from "./errors.js";
import type {
  GenerationResult,
  Generator,
  Prompt,
  StopReason,
  TokenCallback,
  TokenStream,
} from "./generator.js";
import { resolvePrompt, type ResolvedPrompt } from "./prompt.js";
import { failedSource, neverBegan, stoppedSource, type TokenSource } from "./token-source.js";
import { Transcript } from "./transcript.js";

/** One call, checked and made plain data that crosses threads. */
export interface GenerationRequest {
  readonly prompt: ResolvedPrompt;
  readonly config: ResolvedConfig;
}

/** A running generation whose tokens are wanted only at the end. */
export interface Collection {
  /** Tells the producer to stop. Repeating it does nothing. */
  stop(reason: StopReason): void;
  readonly finished: Promise<GenerationResult>;
}

/** What an engine has to offer to become a {@link Generator}. Neither call throws. */
export interface GenerationBackend {
  /** Starts a generation and keeps its tokens on the producer's side. */
  collect(request: GenerationRequest): Collection;
  /** Starts a generation whose tokens are consumed as they are made. */
  stream(request: GenerationRequest): TokenSource;
}

/**
 * Builds the three modes over a backend: validation, abort signals, adapters and
 * results are the same whatever is behind.
 */
export function createGenerator(backend: GenerationBackend): Generator {
  return {
    async generate(prompt: Prompt, config?: GenerationConfig): Promise<GenerationResult> {
      const collection = unlessAborted(config, backend).collect(resolveRequest(prompt, config));
      stopEarly(config, collection);
      return await collection.finished;
    },

    async generateStream(
      prompt: Prompt,
      onToken: TokenCallback,
      config?: GenerationConfig,
    ): Promise<GenerationResult> {
      if (typeof onToken !== "function") {
        throw new StreamgaugeError(
          "INVALID_CONFIG",
          `generateStream() needs a function as its second argument, not ${typeof onToken}.`,
        );
      }
      const request = resolveRequest(prompt, config);
      const source = unlessAborted(config, backend).stream(request);
      stopEarly(config, source);
      return await deliverToCallback(source, onToken, new Transcript(request.config.logprobs));
    },

    generateStreamAsync(prompt: Prompt, config?: GenerationConfig): TokenStream {
      let request: GenerationRequest;
      try {
        request = resolveRequest(prompt, config);
      } catch (error) {
        return iterateTokens(failedSource(error), new Transcript(false));
      }
      const source = unlessAborted(config, backend).stream(request);
      stopEarly(config, source);
      return iterateTokens(source, new Transcript(request.config.logprobs));
    },
  };
}

function resolveRequest(prompt: Prompt, config: GenerationConfig | undefined): GenerationRequest {
  return { config: resolveConfig(config), prompt: resolvePrompt(prompt) };
}

/** A signal that is aborted before the call keeps it from beginning, wherever the work would be done. */
function unlessAborted(
  config: GenerationConfig | undefined,
  backend: GenerationBackend,
): GenerationBackend {
  return config?.signal?.aborted === true ? abortedBefore : backend;
}

const abortedBefore: GenerationBackend = {
  collect: ({ config }) => ({
    stop: () => undefined,
    finished: Promise.resolve(new Transcript(config.logprobs).result(neverBegan("aborted"))),
  }),
  stream: () => stoppedSource("aborted"),
};

/** Stops what runs when its signal is aborted or its time is over. */
function stopEarly(
  config: GenerationConfig | undefined,
  running: { stop(reason: StopReason): void; readonly finished: Promise<unknown> },
): void {
  const { signal, deadlineMilliseconds } = config ?? {};
  if (signal === undefined && deadlineMilliseconds === undefined) return;
  const abort = (): void => running.stop("aborted");
  signal?.addEventListener("abort", abort, { once: true });
  const timer =
    deadlineMilliseconds === undefined
      ? undefined
      : setTimeout(() => running.stop("deadline"), deadlineMilliseconds);
  // A signal can outlive thousands of generations: leave nothing on it.
  const forget = (): void => {
    signal?.removeEventListener("abort", abort);
    clearTimeout(timer);
  };
  running.finished.then(forget, forget);
}
