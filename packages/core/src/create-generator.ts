import { iterateTokens } from "./adapters/async-iterable.js";
import { deliverToCallback } from "./adapters/callback.js";
import { resolveConfig, type GenerationConfig, type ResolvedConfig } from "./config.js";
import { StreamgaugeError } from "./errors.js";
import type { ArmStops } from "./adapters/arm-stops.js";
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

/** A generator, for whoever may have to close what is behind it. */
export interface StoppableGenerator extends Generator {
  /**
   * Stops every call that is not over for its caller: also one whose producer has
   * ended, while there are tokens that its consumer has not read.
   */
  readonly stopAll: (reason: StopReason) => void;
}

/**
 * Builds the three modes over a backend: validation, abort signals, adapters and
 * results are the same whatever is behind.
 */
export function createGenerator(backend: GenerationBackend): StoppableGenerator {
  /** What stops the calls that are not over for their callers. */
  const stops = new Set<(reason: StopReason) => void>();

  /** Until a call is over, its signal, its deadline and `stopAll()` can stop it. */
  function armStops(config: GenerationConfig | undefined): ArmStops {
    return (stop) => {
      const { signal, deadlineMilliseconds } = config ?? {};
      const abort = (): void => stop("aborted");
      signal?.addEventListener("abort", abort, { once: true });
      const timer =
        deadlineMilliseconds === undefined
          ? undefined
          : setTimeout(stop, deadlineMilliseconds, "deadline");
      stops.add(stop);
      // A signal can outlive thousands of generations: leave nothing on it.
      return () => {
        stops.delete(stop);
        signal?.removeEventListener("abort", abort);
        clearTimeout(timer);
      };
    };
  }

  return {
    async generate(prompt: Prompt, config?: GenerationConfig): Promise<GenerationResult> {
      const collection = unlessAborted(config, backend).collect(resolveRequest(prompt, config));
      const disarm = armStops(config)((reason) => collection.stop(reason));
      try {
        return await collection.finished;
      } finally {
        disarm();
      }
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
      const transcript = new Transcript(request.config.logprobs);
      return await deliverToCallback(source, onToken, transcript, armStops(config));
    },

    generateStreamAsync(prompt: Prompt, config?: GenerationConfig): TokenStream {
      let request: GenerationRequest;
      try {
        request = resolveRequest(prompt, config);
      } catch (error) {
        return iterateTokens(failedSource(error), new Transcript(false));
      }
      const source = unlessAborted(config, backend).stream(request);
      const transcript = new Transcript(request.config.logprobs);
      return iterateTokens(source, transcript, { armStops: armStops(config) });
    },

    stopAll(reason: StopReason): void {
      for (const stop of stops) stop(reason);
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
