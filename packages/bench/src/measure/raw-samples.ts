/**
 * The raw samples of one cell: everything that its blocks, distributions and
 * analysis are derived from, as `raw/<cell id>.bin.gz` beside the record.
 *
 * The file is gzip of
 *
 * ```text
 * header    one line of JSON, ended by a line feed:
 *           {"format":"streamgauge/raw-samples","version":3,"runId":…,"cell":…,"blocks":n}
 * n blocks  process; runs in the block, then the runs in the order in which they ran
 * a run     treatment: 0 generate, 1 control, 2 stream, 3 streamAsync
 *           tokens made, where generations end by themselves; otherwise 0
 *           end to end, ns
 *           CPU time, µs
 *           event-loop utilisation, in 1/10,000
 *           memory, bytes: resident, heap used, external, array buffers
 *           t = tokens delivered
 *           t gaps, ns: delivered(i) − delivered(i − 1); the first since the call
 *           t latencies, ns: delivered(i) − produced(i) = l, written as l + 1 if
 *             l ≥ 0 and as l otherwise; 0 where the generator does not say
 *           c = t if callbacks were timed, otherwise 0
 *           c times in the callback, ns
 * ```
 *
 * The tokens of several streams at once stand one stream after the other. Version
 * 1 had no processes and no callback times, and version 2 no tokens made.
 *
 * Every number after the header is an integer as in `varint.ts`. Differences are
 * small where times are large: that is what keeps a token at five or six bytes.
 *
 * @module
 */
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import type { Run, Treatment } from "../record/index.js";
import type { TokenTimes } from "./recorder.js";
import { shownJson } from "../record/shape.js";
import { VarintReader, pushVarint } from "./varint.js";

/** What was measured of one generation. Times are integers. */
export type RawRun = Pick<
  Run,
  | "treatment"
  | "tokens"
  | "endToEndNanoseconds"
  | "cpuMicroseconds"
  | "eventLoopUtilization"
  | "memory"
> &
  TokenTimes;

/** One run of every treatment, in the order in which they ran. */
export interface RawBlock {
  /** Which of the run's processes measured it, from 0. */
  readonly process: number;
  readonly runs: readonly RawRun[];
}

/** Which cell of which run the samples are of. */
export interface RawSamplesIdentity {
  readonly runId: string;
  /** Id of the cell. */
  readonly cell: string;
}

/** The content of a file of raw samples. */
export interface RawSamples extends RawSamplesIdentity {
  readonly blocks: readonly RawBlock[];
}

const format = "streamgauge/raw-samples";
const version = 3;
const readableVersions: readonly unknown[] = [1, 2, version];

/** The numbers of the treatments in the file, which stay whatever tables show first. */
const treatmentCodes: readonly Treatment[] = ["generate", "control", "stream", "streamAsync"];

/** No cell comes near it; a file that unpacks to more was made to do harm. */
const largestUnpackedBytes = 2 ** 28;

/**
 * Collects the blocks of a cell, already encoded: a third of what the times take
 * as arrays, and nothing that a garbage collector has to visit.
 */
export class RawSamplesWriter {
  readonly #identity: RawSamplesIdentity;
  readonly #blocks: Uint8Array[] = [];

  constructor(identity: RawSamplesIdentity) {
    this.#identity = identity;
  }

  /** Blocks added so far. */
  get blocks(): number {
    return this.#blocks.length;
  }

  /** Takes a copy. @throws RangeError when a time is not an integer */
  add(block: RawBlock): void {
    const bytes: number[] = [];
    pushVarint(bytes, block.process);
    pushVarint(bytes, block.runs.length);
    for (const run of block.runs) pushRun(bytes, run);
    this.#blocks.push(Uint8Array.from(bytes));
  }

  /** The file's bytes. Compresses on another thread. */
  async finish(): Promise<Uint8Array> {
    const { runId, cell } = this.#identity;
    const header = { format, version, runId, cell, blocks: this.blocks };
    const line = Buffer.from(`${JSON.stringify(header)}\n`);
    return await promisify(gzip)(Buffer.concat([line, ...this.#blocks]));
  }
}

/**
 * Reads what {@link RawSamplesWriter} has written.
 *
 * @throws StreamgaugeError `INVALID_RAW_SAMPLES` for bytes that are cut off,
 *   damaged, of another format or of another version
 */
export async function readRawSamples(bytes: Uint8Array): Promise<RawSamples> {
  let content: Buffer;
  try {
    content = await promisify(gunzip)(bytes, { maxOutputLength: largestUnpackedBytes });
  } catch (cause) {
    throw invalid(`they do not unpack (${messageOf(cause)})`, cause);
  }
  const headerEnd = content.indexOf("\n");
  const header = parseHeader(content.toString("utf8", 0, headerEnd));
  const { blocks: count, version: written, ...identity } = header;
  try {
    const reader = new VarintReader(content.subarray(headerEnd + 1));
    const blocks: RawBlock[] = [];
    while (blocks.length < count) blocks.push(readBlock(reader, written));
    if (!reader.atEnd) throw new RangeError(`There are bytes after the last of ${count} blocks.`);
    return { ...identity, blocks };
  } catch (cause) {
    throw invalid(messageOf(cause), cause);
  }
}

function pushRun(bytes: number[], run: RawRun): void {
  const { memory, deliveredNanoseconds: delivered, producedNanoseconds: produced } = run;
  for (const value of [
    treatmentCodes.indexOf(run.treatment),
    run.tokens ?? 0,
    run.endToEndNanoseconds,
    run.cpuMicroseconds,
    Math.round(run.eventLoopUtilization * 1e4),
    memory.residentBytes,
    memory.heapUsedBytes,
    memory.externalBytes,
    memory.arrayBufferBytes,
    delivered.length,
  ]) {
    pushVarint(bytes, value);
  }
  for (const [index, now] of delivered.entries())
    pushVarint(bytes, now - (delivered[index - 1] ?? 0));
  for (const [index, now] of delivered.entries()) {
    const latency = now - (produced[index] as number);
    if (Number.isNaN(latency)) pushVarint(bytes, 0);
    else pushVarint(bytes, latency < 0 ? latency : latency + 1);
  }
  pushVarint(bytes, run.callbackNanoseconds.length);
  for (const nanoseconds of run.callbackNanoseconds) pushVarint(bytes, nanoseconds);
}

function readBlock(reader: VarintReader, written: number): RawBlock {
  const process = written === 1 ? 0 : reader.next();
  const runs: RawRun[] = [];
  for (let left = reader.next(); left > 0; left -= 1) runs.push(readRun(reader, written));
  return { process, runs };
}

function readRun(reader: VarintReader, written: number): RawRun {
  const treatment = treatmentCodes[reader.next()];
  if (treatment === undefined) throw new RangeError("There is a run of an unknown treatment.");
  const tokens = written < 3 ? 0 : reader.next();
  const run = {
    treatment,
    ...(tokens > 0 && { tokens }),
    endToEndNanoseconds: reader.next(),
    cpuMicroseconds: reader.next(),
    eventLoopUtilization: reader.next() / 1e4,
    memory: {
      residentBytes: reader.next(),
      heapUsedBytes: reader.next(),
      externalBytes: reader.next(),
      arrayBufferBytes: reader.next(),
    },
  };
  // A list grows with what is there to read; a typed array would believe the number.
  const delivered: number[] = [];
  for (let left = reader.next(); left > 0; left -= 1) {
    delivered.push((delivered.at(-1) ?? 0) + reader.next());
  }
  const produced = delivered.map((now) => {
    const latency = reader.next();
    if (latency === 0) return Number.NaN;
    return now - (latency < 0 ? latency : latency - 1);
  });
  const callbacks: number[] = [];
  for (let left = written === 1 ? 0 : reader.next(); left > 0; left -= 1) {
    callbacks.push(reader.next());
  }
  return {
    ...run,
    deliveredNanoseconds: Float64Array.from(delivered),
    producedNanoseconds: Float64Array.from(produced),
    callbackNanoseconds: Float64Array.from(callbacks),
  };
}

function parseHeader(
  line: string,
): RawSamplesIdentity & { readonly blocks: number; readonly version: number } {
  let header: Record<string, unknown>;
  try {
    header = Object(JSON.parse(line)) as Record<string, unknown>;
  } catch (cause) {
    throw invalid("they do not begin with a line of JSON", cause);
  }
  const { runId, cell, blocks } = header;
  if (header["format"] !== format) throw invalid(`their format is not "${format}"`);
  const written = header["version"];
  if (!readableVersions.includes(written)) {
    const known = readableVersions.join(", ");
    throw invalid(`they have version ${shownJson(written)}, and this reads ${known}`);
  }
  if (typeof runId !== "string" || typeof cell !== "string" || !Number.isSafeInteger(blocks)) {
    throw invalid("their header names no run, cell or number of blocks");
  }
  return { runId, cell, blocks: blocks as number, version: written as number };
}

function invalid(what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_RAW_SAMPLES",
    `These are no intact raw samples: ${what}. Take an intact copy, or run the bench again.`,
    { cause },
  );
}
