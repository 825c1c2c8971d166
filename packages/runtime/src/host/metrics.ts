import type { ErrorCode, FinishReason } from "@streamgauge/core";
import type { Delivery } from "./delivery-count.js";
import type { GenerationObserver, GenerationReport } from "./generation-observer.js";
import { LatencyHistogram, type LatencyDistribution } from "./latency-histogram.js";

/** What a runtime has done since it was made, and what it does now. Plain data. */
export interface RuntimeMetrics {
  /** Calls that wait for a worker. */
  readonly queued: number;
  /** Generations that a worker has. */
  readonly active: number;
  readonly workers: {
    /** Workers that have loaded the model and live. */
    readonly ready: number;
    /** Workers that ended by themselves, or could not load. */
    readonly lost: number;
    /** Workers that took a lost one's place and have loaded the model. */
    readonly replaced: number;
  };
  readonly generations: {
    /** Generations that ended, by the reason; reasons that did not occur are left out. */
    readonly finished: Readonly<Partial<Record<FinishReason, number>>>;
    /**
     * Generations that failed, by the error's code; `QUEUE_FULL` counts the calls that
     * were turned away. A callback that threw is not a failure of the
     * generation, which ended as "cancelled".
     */
    readonly failed: Readonly<Partial<Record<ErrorCode, number>>>;
  };
  /** Tokens of the generations that ended without failing. */
  readonly tokens: {
    readonly prompt: number;
    /** Prompt tokens that were not run, because a worker's cache had them. */
    readonly cached: number;
    /** Tokens made, also those that nobody read. */
    readonly completion: number;
  };
  /** How tokens of all streams were delivered, as far as they were read: it changes while they run. */
  readonly delivery: Delivery;
  /** Engine began − call made; of generations that began and did not fail. */
  readonly queueTime: LatencyDistribution;
  /** First token chosen − call made; of generations with a token that did not fail. */
  readonly timeToFirstToken: LatencyDistribution;
  /** (Last chosen − first chosen) / (n − 1), one value for each such generation with n ≥ 2. */
  readonly timePerOutputToken: LatencyDistribution;
  /** End known to the host − call made; of generations that did not fail, also stopped ones. */
  readonly endToEnd: LatencyDistribution;
}

/** Keeps the figures of {@link RuntimeMetrics} that add up generation by generation. */
export class GenerationMetrics implements GenerationObserver {
  readonly #finished: Partial<Record<FinishReason, number>> = {};
  readonly #failed: Partial<Record<ErrorCode, number>> = {};
  #promptTokens = 0;
  #cachedTokens = 0;
  #completionTokens = 0;
  readonly #queueTime = new LatencyHistogram();
  readonly #timeToFirstToken = new LatencyHistogram();
  readonly #timePerOutputToken = new LatencyHistogram();
  readonly #endToEnd = new LatencyHistogram();

  generationEnded(report: GenerationReport): void {
    if (report.errorCode !== undefined) countOne(this.#failed, report.errorCode);
    if (report.finishReason === undefined) return;
    countOne(this.#finished, report.finishReason);
    this.#promptTokens += report.promptTokens;
    this.#cachedTokens += report.cachedTokens;
    this.#completionTokens += report.completionTokens;
    addTo(this.#queueTime, report.queueMilliseconds);
    addTo(this.#timeToFirstToken, report.timeToFirstTokenMilliseconds);
    addTo(this.#timePerOutputToken, report.timePerOutputTokenMilliseconds);
    addTo(this.#endToEnd, report.endToEndMilliseconds);
  }

  /** @param now what the runtime does at this moment */
  snapshot(
    now: Pick<RuntimeMetrics, "queued" | "active" | "workers" | "delivery">,
  ): RuntimeMetrics {
    return {
      queued: now.queued,
      active: now.active,
      workers: now.workers,
      generations: { finished: { ...this.#finished }, failed: { ...this.#failed } },
      tokens: {
        prompt: this.#promptTokens,
        cached: this.#cachedTokens,
        completion: this.#completionTokens,
      },
      delivery: now.delivery,
      queueTime: this.#queueTime.summarize(),
      timeToFirstToken: this.#timeToFirstToken.summarize(),
      timePerOutputToken: this.#timePerOutputToken.summarize(),
      endToEnd: this.#endToEnd.summarize(),
    };
  }
}

function countOne<K extends string>(counts: Partial<Record<K, number>>, key: K): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function addTo(histogram: LatencyHistogram, milliseconds: number | undefined): void {
  if (milliseconds !== undefined) histogram.add(milliseconds);
}
