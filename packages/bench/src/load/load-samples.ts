/**
 * The raw samples of one shard of a step: everything that its stages are derived from.
 *
 * The file is framed as `measure/samples-file.ts` says:
 *
 * ```text
 * header     {"format":"streamgauge/load-samples","version":1,"runId":…,"step":n,"shard":k,"of":n,
 *             "errors":[kinds],"requests":n}
 * n requests by their index:
 *            index; stage
 *            due after the beginning of the step, ns
 *            sent − due, ns
 *            outcome: 0 completed, 1 interrupted, 2 + i failed with the kind errors[i]
 *            tokens of the answer
 *            tokens of the prompt + 1, or 0 where nobody counted them
 *            settled − due, ns
 *            c = chunks delivered
 *            c gaps, ns: delivered(i) − delivered(i − 1); the first since due
 * ```
 *
 * @module
 */
import {
  isCount,
  packSamples,
  unpackSamples,
  type SamplesFormat,
} from "../measure/samples-file.js";
import { pushVarint, type VarintReader } from "../measure/varint.js";
import type { RequestSample } from "./request-sample.js";

/** Which shard of which step of which run the samples are of. */
export interface LoadSamplesIdentity {
  readonly runId: string;
  /** From 0. */
  readonly step: number;
  /** From 0 to `of` − 1. */
  readonly shard: number;
  readonly of: number;
}

/** The content of a file. */
export interface LoadSamples extends LoadSamplesIdentity {
  /** By their index. */
  readonly requests: readonly RequestSample[];
}

/** What a header names. */
interface Header extends LoadSamplesIdentity {
  /** Kinds of failures, by the number that a request has. */
  readonly errors: readonly string[];
}

const format: SamplesFormat<Header, RequestSample> = {
  format: "streamgauge/load-samples",
  version: 1,
  olderVersions: [],
  items: "requests",
  named: "run, step, shard, kinds of errors",
  readHeader: ({ runId, step, shard, of, errors }) =>
    typeof runId === "string" &&
    isCount(step) &&
    isCount(shard) &&
    isCount(of) &&
    Array.isArray(errors) &&
    errors.every((kind) => typeof kind === "string")
      ? { runId, step, shard, of, errors }
      : undefined,
  readItem: (reader, { errors }) => readRequest(reader, errors),
  largestUnpackedBytes: 2 ** 29,
  words: { holds: "raw samples of a load", remedy: "run the load again" },
};

/** Collects the requests of a shard as they end, already encoded. */
export class LoadSamplesWriter {
  readonly #identity: LoadSamplesIdentity;
  readonly #requests: { readonly index: number; readonly bytes: Uint8Array }[] = [];
  readonly #errors: string[] = [];

  constructor(identity: LoadSamplesIdentity) {
    this.#identity = identity;
  }

  /** Takes a copy. @throws RangeError when a time is not an integer */
  add(sample: RequestSample): void {
    const bytes: number[] = [];
    const { deliveredNanoseconds: delivered, promptTokens } = sample;
    for (const value of [
      sample.index,
      sample.stage,
      sample.dueNanoseconds,
      sample.latenessNanoseconds,
      this.#outcomeOf(sample),
      sample.outputTokens,
      promptTokens === null ? 0 : promptTokens + 1,
      sample.endNanoseconds,
      delivered.length,
    ]) {
      pushVarint(bytes, value);
    }
    let last = 0;
    for (let chunk = 0; chunk < delivered.length; chunk += 1) {
      const now = delivered[chunk] ?? last;
      pushVarint(bytes, now - last);
      last = now;
    }
    this.#requests.push({ index: sample.index, bytes: Uint8Array.from(bytes) });
  }

  /** The file's bytes. Compresses on another thread. */
  async finish(): Promise<Uint8Array> {
    const { runId, step, shard, of } = this.#identity;
    const requests = this.#requests.toSorted((one, other) => one.index - other.index);
    return await packSamples(
      format,
      { runId, step, shard, of, errors: this.#errors },
      requests.map(({ bytes }) => bytes),
    );
  }

  #outcomeOf({ outcome, error }: RequestSample): number {
    if (outcome === "completed") return 0;
    if (outcome === "interrupted") return 1;
    const kind = error ?? "unknown";
    const known = this.#errors.indexOf(kind);
    return 2 + (known === -1 ? this.#errors.push(kind) - 1 : known);
  }
}

/**
 * Reads what {@link LoadSamplesWriter} has written.
 *
 * @throws StreamgaugeError `INVALID_RAW_SAMPLES` for bytes that are cut off, damaged, of another
 *   format or of another version
 */
export async function readLoadSamples(bytes: Uint8Array): Promise<LoadSamples> {
  const { header, items: requests } = await unpackSamples(format, bytes);
  const { errors: _, ...identity } = header;
  return { ...identity, requests };
}

function readRequest(reader: VarintReader, errors: readonly string[]): RequestSample {
  const index = reader.next();
  const stage = reader.next();
  const dueNanoseconds = reader.next();
  const latenessNanoseconds = reader.next();
  const code = reader.next();
  const outputTokens = reader.next();
  const promptTokens = reader.next();
  const endNanoseconds = reader.next();
  // A list grows with what is there to read; a typed array would believe the number.
  const delivered: number[] = [];
  for (let left = reader.next(); left > 0; left -= 1) {
    delivered.push((delivered.at(-1) ?? 0) + reader.next());
  }
  const error = errors[code - 2];
  if (code < 0 || (code > 1 && error === undefined)) {
    throw new RangeError("There is a request with an unknown outcome.");
  }
  return {
    index,
    stage,
    dueNanoseconds,
    latenessNanoseconds,
    outcome: code === 0 ? "completed" : code === 1 ? "interrupted" : "failed",
    error: error ?? null,
    outputTokens,
    promptTokens: promptTokens === 0 ? null : promptTokens - 1,
    endNanoseconds,
    deliveredNanoseconds: delivered,
  };
}
