import { InvalidRecordError } from "@streamgauge/bench/record";
import { z } from "zod";

/** A file that is no result of a tool we read, or a damaged one. */
export class InvalidImportError extends InvalidRecordError {}

/** One successful request, as far as a file tells; times in milliseconds, none of them checked. */
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
  /** In milliseconds, or tokens per second; undefined where the file has none. Not checked. */
  readonly mean: number | undefined;
  readonly median: number | undefined;
  readonly p99: number | undefined;
}

/** One measurement of a foreign file. */
export interface ForeignResult {
  readonly tool: "vLLM" | "SGLang" | "AIPerf" | "GuideLLM";
  /** What tells it from others of the same file. */
  readonly title: string;
  readonly requests: readonly ForeignRequest[];
  /** Failed, cancelled, incomplete and warm-up requests. */
  readonly requestsLeftOut: number;
  readonly theirs: Readonly<Partial<Record<ImportedMetric, TheirMetric>>>;
  /** Why a metric cannot be recomputed from files of this tool. */
  readonly missing: Readonly<Partial<Record<ImportedMetric, string>>>;
}

/** Any number that JSON of Python can have, infinite ones, too: whether it is possible is asked later. */
export const anyNumber: z.ZodType<number> = z.custom<number>(
  (value) => typeof value === "number",
  "Expected a number",
);

/** A number that a tool may not have. It writes null for it, or a bare NaN. */
export const optionalNumber: z.ZodType<number | undefined> = anyNumber
  .nullish()
  .transform((value) => value ?? undefined);

/**
 * A JSON value as a schema has it.
 *
 * @param within where the value is in its file
 * @throws InvalidImportError naming the first field that is wrong
 */
export function parseForeign<T>(
  schema: z.ZodType<T>,
  json: unknown,
  tool: string,
  within?: string,
): T {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  const path = [...(within === undefined ? [] : [within]), ...(issue?.path ?? [])].join(".");
  throw new InvalidImportError(
    `This looks like a result of ${tool}, but "${path}" is wrong: ${issue?.message}. ` +
      `Give a file as ${tool} wrote it.`,
  );
}
