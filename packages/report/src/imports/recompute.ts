import { sampleStatistics, type SampleStatistics } from "../text/sample-statistics.js";
import type { ForeignRequest, ForeignResult, ImportedMetric } from "./foreign-result.js";

/** A metric under our definition, or why there is none. */
export type Recomputed =
  | { readonly metric: ImportedMetric; readonly statistics: SampleStatistics }
  | { readonly metric: ImportedMetric; readonly reason: string };

/** Our definitions, as the records have them. */
export const ourDefinitions: Readonly<Record<ImportedMetric, string>> = {
  TTFT: "first token delivered to user code − call made",
  ITL: "delivered(i) − delivered(i−1), every raw gap",
  TPOT: "(last delivered − first delivered) / (n − 1)",
  "end-to-end latency": "result settled − call made",
  "output throughput": "n / end-to-end latency, of each request",
};

/**
 * Every metric under our definition, in milliseconds and tokens per second, where
 * each request of the file tells enough for it.
 */
export function recompute({ requests, missing }: ForeignResult): Recomputed[] {
  return Object.keys(ourDefinitions).map((key) => {
    const metric = key as ImportedMetric;
    const known = missing[metric];
    if (known !== undefined) return { metric, reason: known };
    if (requests.length === 0) return { metric, reason: "the file has no successful request" };
    const samples: number[] = [];
    for (const request of requests) {
      const found = sampleOf[metric](request);
      if (typeof found === "string") return { metric, reason: found };
      samples.push(...found);
    }
    const statistics = sampleStatistics(samples);
    return statistics === undefined
      ? { metric, reason: "no request has two tokens" }
      : { metric, statistics };
  });
}

const noLength = "a request has no count of output tokens";

/** The samples that a request gives; a string says why it cannot. */
const sampleOf: Readonly<
  Record<ImportedMetric, (request: ForeignRequest) => readonly number[] | string>
> = {
  TTFT: ({ firstToken }) =>
    firstToken === undefined ? "a request has no time of its first token" : [firstToken],
  ITL: ({ chunkGaps, outputTokens }) => {
    if (outputTokens === undefined) return noLength;
    if (outputTokens < 2) return [];
    if (chunkGaps === undefined) return "a request has no gaps between its chunks";
    if (chunkGaps.length !== outputTokens - 1) {
      return `a chunk is not a token: a request of ${outputTokens} tokens has ${chunkGaps.length} gaps`;
    }
    return chunkGaps;
  },
  TPOT: ({ chunkGaps, firstToLast, outputTokens }) => {
    if (outputTokens === undefined) return noLength;
    if (outputTokens < 2) return [];
    const total = firstToLast ?? chunkGaps?.reduce((sum, gap) => sum + gap, 0);
    return total === undefined
      ? "a request has no time of its last token"
      : [total / (outputTokens - 1)];
  },
  "end-to-end latency": ({ endToEnd }) =>
    endToEnd === undefined ? "a request has no time of its end" : [endToEnd],
  "output throughput": ({ endToEnd, outputTokens }) => {
    if (outputTokens === undefined) return noLength;
    if (endToEnd === undefined || endToEnd <= 0) return "a request has no time of its end";
    return [(outputTokens / endToEnd) * 1e3];
  },
};
