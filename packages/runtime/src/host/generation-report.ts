import { messageOf, type ErrorCode, type GenerationSummary } from "@streamgauge/core";
import type { GenerationObserver, GenerationReport } from "./generation-observer.js";

/** How a generation ended. One of the two is set. */
export interface GenerationEnd {
  readonly summary: GenerationSummary | undefined;
  readonly errorCode: ErrorCode | undefined;
}

/** What an observer is told of a generation. */
export function reportOn(
  call: Pick<GenerationReport, "model" | "clientId" | "mode" | "wakeUps" | "endToEndMilliseconds">,
  { summary, errorCode }: GenerationEnd,
): GenerationReport {
  const made = summary?.producedTokens ?? 0;
  const { queueMilliseconds, prefillMilliseconds, decodeMilliseconds } = summary?.timings ?? none;
  return {
    ...call,
    errorCode,
    finishReason: summary?.finishReason,
    promptTokens: summary?.promptTokens ?? 0,
    cachedTokens: summary?.cachedTokens ?? 0,
    completionTokens: made,
    // Only an engine that began has counted the prompt, which has at least one token.
    queueMilliseconds:
      summary !== undefined && summary.promptTokens > 0 ? queueMilliseconds : undefined,
    timeToFirstTokenMilliseconds: made > 0 ? queueMilliseconds + prefillMilliseconds : undefined,
    timePerOutputTokenMilliseconds: made > 1 ? decodeMilliseconds / (made - 1) : undefined,
  };
}

const none = { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 };

/** Tells all of them, whatever one of them throws. */
export function tellObservers(
  observers: readonly GenerationObserver[],
  report: GenerationReport,
): void {
  for (const observer of observers) {
    try {
      observer.generationEnded(report);
    } catch (error) {
      process.emitWarning(
        `An observer of a streamgauge runtime threw; the generation is not affected: ${messageOf(error)}`,
        { code: "STREAMGAUGE_OBSERVER" },
      );
    }
  }
}
