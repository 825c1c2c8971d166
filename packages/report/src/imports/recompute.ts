import { sampleStatistics, type SampleStatistics } from "../text/sample-statistics.js";
import type { ForeignRequest, ForeignResult, ImportedMetric } from "./foreign-result.js";
import { impossibleCount, impossibleLatency, impossibleRate, impossibleTime } from "./possible.js";

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
 * each request of the file tells enough for it and nothing that cannot be.
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
      for (const sample of found) samples.push(sample);
    }
    const statistics = sampleStatistics(samples);
    return statistics === undefined
      ? { metric, reason: "no request has two tokens" }
      : { metric, statistics };
  });
}

/** The samples that a request gives; a string says why it cannot. */
const sampleOf: Readonly<
  Record<ImportedMetric, (request: ForeignRequest) => readonly number[] | string>
> = {
  TTFT: ({ firstToken }) => {
    if (firstToken === undefined) return "a request has no time of its first token";
    const wrong = impossibleLatency(firstToken);
    return wrong === undefined ? [firstToken] : impossible("time to the first token", wrong);
  },
  ITL: ({ chunkGaps, outputTokens }) => {
    const tokens = countOf(outputTokens);
    if (typeof tokens === "string") return tokens;
    if (tokens < 2) return [];
    if (chunkGaps === undefined) return "a request has no gaps between its chunks";
    if (chunkGaps.length !== tokens - 1) {
      return `a chunk is not a token: a request of ${tokens} tokens has ${chunkGaps.length} gaps`;
    }
    return wrongGap(chunkGaps) ?? chunkGaps;
  },
  TPOT: ({ chunkGaps, firstToLast, outputTokens }) => {
    const tokens = countOf(outputTokens);
    if (typeof tokens === "string") return tokens;
    if (tokens < 2) return [];
    const wrong = wrongGap(chunkGaps ?? []);
    if (wrong !== undefined) return wrong;
    const total = firstToLast ?? chunkGaps?.reduce((sum, gap) => sum + gap, 0);
    if (total === undefined) return "a request has no time of its last token";
    if (total === 0) {
      return `a request got its ${tokens} tokens in one chunk, so no time passed between them`;
    }
    const wrongTotal = impossibleTime(total);
    return wrongTotal === undefined
      ? [total / (tokens - 1)]
      : impossible("time from the first token to the last", wrongTotal);
  },
  "end-to-end latency": ({ endToEnd }) => {
    if (endToEnd === undefined) return "a request has no time of its end";
    const wrong = impossibleLatency(endToEnd);
    return wrong === undefined ? [endToEnd] : impossible("end-to-end latency", wrong);
  },
  "output throughput": (request) => {
    const tokens = countOf(request.outputTokens);
    if (typeof tokens === "string") return tokens;
    const latency = sampleOf["end-to-end latency"](request);
    if (typeof latency === "string") return latency;
    const rate = (tokens / latency[0]!) * 1e3;
    const wrong = impossibleRate(rate);
    return wrong === undefined ? [rate] : impossible("throughput", wrong);
  },
};

function countOf(tokens: number | undefined): number | string {
  if (tokens === undefined) return "a request has no count of output tokens";
  const wrong = impossibleCount(tokens);
  return wrong === undefined ? tokens : impossible("count of output tokens", wrong);
}

function wrongGap(gaps: readonly number[]): string | undefined {
  for (const gap of gaps) {
    const wrong = impossibleTime(gap);
    if (wrong !== undefined) return impossible("gap between chunks", wrong);
  }
  return undefined;
}

function impossible(what: string, wrong: string): string {
  return `the ${what} of a request cannot be: ${wrong}`;
}
