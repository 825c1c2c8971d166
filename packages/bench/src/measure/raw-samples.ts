/**
 * The raw samples of one cell: everything that its blocks, distributions and
 * analysis are derived from, as `raw/<cell id>.bin.gz` beside the record.
 *
 * The file is framed as `samples-file.ts` says:
 *
 * ```text
 * header    {"format":"streamgauge/raw-samples","version":3,"runId":…,"cell":…,"blocks":n}
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
 * Differences are small where times are large: that is what keeps a token at five or
 * six bytes.
 *
 * @module
 */
import type { Run, Treatment } from "../record/index.js";
import type { TokenTimes } from "./recorder.js";
import { packSamples, unpackSamples, type SamplesFormat } from "./samples-file.js";
import { pushVarint, type VarintReader } from "./varint.js";

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

/** The numbers of the treatments in the file, which stay whatever tables show first. */
const treatmentCodes: readonly Treatment[] = ["generate", "control", "stream", "streamAsync"];

/** What a header names, and how the blocks behind it are written. */
interface Header extends RawSamplesIdentity {
  readonly version: number;
}

const format: SamplesFormat<Header, RawBlock> = {
  format: "streamgauge/raw-samples",
  version: 3,
  olderVersions: [1, 2],
  items: "blocks",
  named: "run, cell",
  readHeader: ({ runId, cell }, version) =>
    typeof runId === "string" && typeof cell === "string" ? { runId, cell, version } : undefined,
  readItem: (reader, { version }) => readBlock(reader, version),
  largestUnpackedBytes: 2 ** 28,
  words: { holds: "raw samples", remedy: "run the bench again" },
};

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
    return await packSamples(format, { runId, cell }, this.#blocks);
  }
}

/**
 * Reads what {@link RawSamplesWriter} has written.
 *
 * @throws StreamgaugeError `INVALID_RAW_SAMPLES` for bytes that are cut off,
 *   damaged, of another format or of another version
 */
export async function readRawSamples(bytes: Uint8Array): Promise<RawSamples> {
  const { header, items: blocks } = await unpackSamples(format, bytes);
  return { runId: header.runId, cell: header.cell, blocks };
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
