import type { ErrorCode, FinishReason } from "@streamgauge/core";

/** Is told of each generation when it has ended. */
export interface GenerationObserver {
  /**
   * Called once for each call that reached the host, on the thread that made the
   * runtime, when its worker is done with it, and before the caller learns of the
   * end. It must be quick. If it throws,
   * the process is warned and the generation is not affected.
   */
  generationEnded(report: GenerationReport): void;
}

/**
 * One generation that ended, as plain data. Times are in milliseconds; a moment
 * of the engine is taken in the worker, before the token has crossed to the
 * consumer. Calls with a wrong config or prompt never become a generation.
 */
export interface GenerationReport {
  /** The model folder's name, or "paced". */
  readonly model: string;
  readonly clientId: string;
  /** "collect" for `generate()`, "stream" for the other two. */
  readonly mode: "collect" | "stream";
  /**
   * Why it ended for the worker; undefined when it failed. A consumer that leaves, or
   * is stopped, after that and before it has read all has another reason in its result.
   */
  readonly finishReason: FinishReason | undefined;
  /** Why it failed; undefined when it did not. */
  readonly errorCode: ErrorCode | undefined;
  /** Ids of the prompt that the engine took; 0 for a generation that never began or that failed. */
  readonly promptTokens: number;
  /** Prompt tokens that were not run, because a worker's cache had them; see `prefixReuse`. */
  readonly cachedTokens: number;
  /** Tokens the engine made, also those that nobody read; 0 for one that failed. */
  readonly completionTokens: number;
  /** Engine began − call made. Undefined when it never began, or failed. */
  readonly queueMilliseconds: number | undefined;
  /** First token chosen − call made. Undefined without a token. */
  readonly timeToFirstTokenMilliseconds: number | undefined;
  /** (Last token chosen − first token chosen) / (n − 1). Undefined with fewer than two tokens. */
  readonly timePerOutputTokenMilliseconds: number | undefined;
  /**
   * How often its consumer had been woken for it by then, while it waited for a
   * token; what it has not read yet can add to that. Undefined for "collect".
   */
  readonly wakeUps: number | undefined;
  /** End known to the host − call made. */
  readonly endToEndMilliseconds: number;
}
