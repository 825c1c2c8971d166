/**
 * Tells OpenTelemetry of a runtime's generations, in the metrics of its semantic
 * conventions for generative AI. Needs `@opentelemetry/api`, an optional peer.
 *
 * @module
 */
import { metrics, type Attributes, type Histogram, type Meter } from "@opentelemetry/api";
import type { GenerationObserver, GenerationReport } from "../host/generation-observer.js";

export interface OpenTelemetryOptions {
  /** What makes the instruments. Default: one named "@streamgauge/runtime" of the global provider. */
  readonly meter?: Meter;
}

/**
 * An observer for the option `observers` of `createRuntime()`. It records, each
 * with the attributes `gen_ai.operation.name` ("text_completion"),
 * `gen_ai.provider.name` ("streamgauge") and `gen_ai.request.model`:
 *
 * - `gen_ai.server.request.duration`, seconds: end known to the host − call made,
 *   of every generation; `error.type` is the code of one that failed.
 * - `gen_ai.server.time_to_first_token`, seconds: first token chosen − call made.
 * - `gen_ai.server.time_per_output_token`, seconds: (last chosen − first chosen) /
 *   (n − 1), one value for each generation.
 * - `gen_ai.client.token.usage`: tokens of prompt and completion, told apart by
 *   `gen_ai.token.type` ("input", "output"); of generations that did not fail.
 * - `gen_ai.usage.cache_read.input_tokens`: of the input tokens, those that were not
 *   run, as a worker's cache had them. The conventions have this name for spans, and
 *   no metric yet; an instrument of its own leaves the sums of the other alone.
 * - `streamgauge.stream.wake_ups_per_token`: how often a stream's consumer had been
 *   woken by its end / its tokens; one value for each stream with tokens. The
 *   conventions know nothing like it.
 *
 * The conventions are in development, and so may these names change with them.
 */
export function createOpenTelemetryObserver(
  options: OpenTelemetryOptions = {},
): GenerationObserver {
  const { meter = metrics.getMeter("@streamgauge/runtime") } = options;
  const histogram = (
    name: string,
    description: string,
    unit: string,
    explicitBucketBoundaries: number[],
  ): Histogram =>
    meter.createHistogram(name, { description, unit, advice: { explicitBucketBoundaries } });
  const duration = histogram(
    "gen_ai.server.request.duration",
    "From the call to the end of the generation.",
    "s",
    durationBoundaries,
  );
  const firstToken = histogram(
    "gen_ai.server.time_to_first_token",
    "From the call to the first token.",
    "s",
    firstTokenBoundaries,
  );
  const perToken = histogram(
    "gen_ai.server.time_per_output_token",
    "Time per token after the first.",
    "s",
    perTokenBoundaries,
  );
  const usage = histogram(
    "gen_ai.client.token.usage",
    "Tokens of prompt and completion.",
    "{token}",
    tokenBoundaries,
  );
  const cacheRead = histogram(
    "gen_ai.usage.cache_read.input_tokens",
    "Tokens of the prompt that were in a cache.",
    "{token}",
    tokenBoundaries,
  );
  const wakeUpsPerToken = histogram(
    "streamgauge.stream.wake_ups_per_token",
    "How often a stream's consumer was woken, for each token.",
    "1",
    wakeUpBoundaries,
  );
  return {
    generationEnded(report) {
      const about = attributesOf(report);
      const { errorCode, timeToFirstTokenMilliseconds, timePerOutputTokenMilliseconds } = report;
      const failure = errorCode === undefined ? {} : { "error.type": errorCode };
      duration.record(report.endToEndMilliseconds / 1000, { ...about, ...failure });
      if (errorCode !== undefined) return;
      if (timeToFirstTokenMilliseconds !== undefined) {
        firstToken.record(timeToFirstTokenMilliseconds / 1000, about);
      }
      if (timePerOutputTokenMilliseconds !== undefined) {
        perToken.record(timePerOutputTokenMilliseconds / 1000, about);
      }
      usage.record(report.promptTokens, { ...about, "gen_ai.token.type": "input" });
      usage.record(report.completionTokens, { ...about, "gen_ai.token.type": "output" });
      cacheRead.record(report.cachedTokens, about);
      if (report.wakeUps !== undefined && report.completionTokens > 0) {
        wakeUpsPerToken.record(report.wakeUps / report.completionTokens, about);
      }
    },
  };
}

function attributesOf({ model }: GenerationReport): Attributes {
  return {
    "gen_ai.operation.name": "text_completion",
    "gen_ai.provider.name": "streamgauge",
    "gen_ai.request.model": model,
  };
}

// The boundaries that the conventions advise: in seconds, and the last in tokens.
const durationBoundaries = Array.from({ length: 14 }, (_, power) => 0.01 * 2 ** power);
const firstTokenBoundaries = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];
const perTokenBoundaries = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5];
const tokenBoundaries = Array.from({ length: 14 }, (_, power) => 4 ** power);
const wakeUpBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1, 2];
