import { InvalidRecordError } from "@streamgauge/bench/record";
import type { z } from "zod";

/** A file that is no result of a tool we read, or a damaged one. */
export class InvalidImportError extends InvalidRecordError {}

/** One successful request, as far as a file tells; times in milliseconds. */
export interface ForeignRequest {
  /** First token delivered − call made. */
  readonly firstToken?: number | undefined;
  /** Raw gaps between chunks, in order. */
  readonly chunkGaps?: readonly number[] | undefined;
  /** Last token delivered − first token delivered, where there are no gaps. */
  readonly firstToLast?: number | undefined;
  /** Result settled − call made. */
  readonly endToEnd?: number | undefined;
  readonly outputTokens?: number | undefined;
}

/** What we recompute. */
export type ImportedMetric = "TTFT" | "ITL" | "TPOT" | "end-to-end latency" | "output throughput";

/** A metric as the tool printed it. */
export interface TheirMetric {
  /** The tool's own name of it. */
  readonly name: string;
  readonly definition: string;
  /** In milliseconds, or tokens per second; undefined where the file has none. */
  readonly mean: number | undefined;
  readonly median: number | undefined;
  readonly p99: number | undefined;
}

/** One measurement of a foreign file. */
export interface ForeignResult {
  readonly tool: "vLLM" | "AIPerf" | "GuideLLM";
  /** What tells it from others of the same file. */
  readonly title: string;
  readonly requests: readonly ForeignRequest[];
  /** Failed, cancelled, incomplete and warm-up requests. */
  readonly requestsLeftOut: number;
  readonly theirs: Readonly<Partial<Record<ImportedMetric, TheirMetric>>>;
  /** Why a metric cannot be recomputed from files of this tool. */
  readonly missing: Readonly<Partial<Record<ImportedMetric, string>>>;
}

/**
 * A JSON value as a schema has it.
 *
 * @throws InvalidImportError naming the first field that is wrong
 */
export function parseForeign<T>(schema: z.ZodType<T>, json: unknown, tool: string): T {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  throw new InvalidImportError(
    `This looks like a result of ${tool}, but "${issue?.path.join(".")}" is wrong: ${issue?.message}. ` +
      `Give a file as ${tool} wrote it.`,
  );
}
