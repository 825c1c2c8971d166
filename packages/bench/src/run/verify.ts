import { isStreamgaugeError, messageOf } from "@streamgauge/core";
import { judge } from "../conclude/claims.js";
import { deriveCell, tokensOf, type DerivedCell } from "../conclude/derivation.js";
import { firstDifference } from "../statistics/difference.js";
import { readRawSamples, type RawBlock } from "../measure/raw-samples.js";
import { sha256 } from "./record-file.js";
import {
  describeLoad,
  type Cell,
  type RawSamplesReference,
  type ResultRecord,
  type EngineMeasurement,
  type TransportMeasurement,
} from "../record/index.js";
import { concludeEngine } from "../conclude/engine-analysis.js";
import { concludeTransports } from "../conclude/transport-analysis.js";

/** `unchecked` where there is nothing to compare with. */
export type Agreement = "agrees" | "differs" | "unchecked";

/** A cell of a record, held against its raw samples. */
export interface CellVerification {
  readonly cell: string;
  /** Relative to the record; null where the cell names none. */
  readonly file: string | null;
  /** In the record. */
  readonly blockCount: number;
  /** Length and SHA-256 of the file. */
  readonly hash: Agreement;
  readonly blocks: Agreement;
  readonly distributions: Agreement;
  /** Comparisons and tails. */
  readonly analysis: Agreement;
  /** All that the record says of the claims about this cell. */
  readonly verdicts: Agreement;
  /** Each names the file or the field, and what is wrong; none when all agrees. */
  readonly problems: readonly string[];
}

/** A record, held against its raw samples. */
export interface Verification {
  /** `nothing` when no cell names raw samples: there is nothing to verify. */
  readonly outcome: "agrees" | "differs" | "nothing";
  readonly cells: readonly CellVerification[];
  /** What is concluded of transports, from the blocks that the record itself holds. */
  readonly transports: Agreement;
  /** What is concluded of the engine's measurements, from the blocks that the record itself holds. */
  readonly engine: Agreement;
  /** Problems of all cells, transports and the engine, and of claims about cells that are not there. */
  readonly problems: readonly string[];
}

/**
 * Derives every block, histogram, analysis and verdict of a record again from
 * its raw samples, and compares; of transports and the engine all but the histograms, whose
 * samples are not kept. What has no samples is not looked at: the environment, the
 * instrument, the main thread, and cells that a crash left.
 *
 * @param readFile gives the bytes of a file that is named relative to the record
 */
export async function verifyRecord(
  record: ResultRecord,
  readFile: (file: string) => Promise<Uint8Array>,
): Promise<Verification> {
  const cells: CellVerification[] = [];
  for (const cell of record.cells) cells.push(await verifyCell(record, cell, readFile));
  const stray = record.claims
    .filter((claim) => record.cells.every(({ id }) => id !== claim.cell))
    .map(({ id, cell }) => `Claim ${id} is about ${cell}, and the record has no such cell.`);
  const { transports = [], engine = [] } = record;
  const otherTransports = transports.map(describeOtherTransports).filter((other) => other !== "");
  const otherEngine = engine.map(describeOtherEngine).filter((other) => other !== "");
  const problems = [
    ...cells.flatMap((cell) => cell.problems),
    ...stray,
    ...otherTransports,
    ...otherEngine,
  ];
  const isEmpty =
    transports.length === 0 && engine.length === 0 && cells.every(({ file }) => file === null);
  return {
    outcome: isEmpty ? "nothing" : problems.length === 0 ? "agrees" : "differs",
    cells,
    transports: agreementOf(transports, otherTransports),
    engine: agreementOf(engine, otherEngine),
    problems,
  };
}

function agreementOf(measured: readonly unknown[], differences: readonly string[]): Agreement {
  if (measured.length === 0) return "unchecked";
  return differences.length === 0 ? "agrees" : "differs";
}

/** Empty where all of it follows from its blocks. */
function describeOtherTransports(recorded: TransportMeasurement): string {
  const place = `${recorded.scenario}, ${describeLoad(recorded)}`;
  return describeOther(place, recorded, () => concludeTransports(recorded));
}

/** Empty where all of it follows from its blocks. */
function describeOtherEngine(recorded: EngineMeasurement): string {
  const place = `${recorded.scenario}, ${recorded.id}`;
  return describeOther(place, recorded, () => concludeEngine(recorded));
}

function describeOther(place: string, recorded: unknown, conclude: () => unknown): string {
  try {
    const difference = firstDifference(recorded, conclude(), "it");
    return difference === undefined ? "" : `${place}: ${difference}.`;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return `${place}: ${messageOf(error)}`;
  }
}

async function verifyCell(
  record: ResultRecord,
  cell: Cell,
  readFile: ReadFile,
): Promise<CellVerification> {
  const problems: string[] = [];
  const note: Note = (place, problem) => {
    if (problem === undefined) return "agrees";
    problems.push(`${place}: ${problem.replace(/\.$/, "")}.`);
    return "differs";
  };
  const { hash, derived } = await deriveFromFile(record, cell, readFile, note);
  const compare = (field: keyof DerivedCell): Agreement =>
    // What a record does not say cannot differ: tails are missing from the first of them.
    derived === undefined || cell[field] === undefined
      ? "unchecked"
      : note(cell.id, firstDifference(cell[field], derived[field], field));
  const analysis = compare("analysis");
  const tails = compare("tails");
  return {
    cell: cell.id,
    file: cell.rawSamples?.file ?? null,
    blockCount: cell.blocks.length,
    hash,
    blocks: compare("blocks"),
    distributions: compare("distributions"),
    analysis: tails === "differs" ? tails : analysis,
    verdicts:
      derived === undefined ? "unchecked" : compareVerdicts(record, { ...cell, ...derived }, note),
    problems,
  };
}

type ReadFile = (file: string) => Promise<Uint8Array>;

/** Keeps a problem, if there is one. */
type Note = (place: string, problem: string | undefined) => Agreement;

/** What the samples of a cell say; undefined where there are none, or they cannot be read. */
async function deriveFromFile(
  { runId }: ResultRecord,
  cell: Cell,
  readFile: ReadFile,
  note: Note,
): Promise<{ readonly hash: Agreement; readonly derived: DerivedCell | undefined }> {
  const reference = cell.rawSamples;
  let hash: Agreement = "unchecked";
  if (reference === null) {
    if (cell.blocks.length === 0) return { hash, derived: deriveCell([], cell) };
    // The samples of a cell that was running are what a crash costs.
    if (cell.status !== "running") {
      note(cell.id, `${cell.blocks.length} blocks, and no raw samples are named`);
    }
    return { hash, derived: undefined };
  }
  const { file } = reference;
  try {
    const bytes = await readFile(requirePlainName(reference));
    hash = note(file, describeOtherBytes(reference, bytes));
    const { blocks, ...origin } = await readRawSamples(bytes);
    note(file, firstDifference({ runId, cell: cell.id }, origin, "the origin"));
    note(file, describeOtherLength(blocks, tokensOf(cell)));
    return { hash, derived: deriveCell(blocks, cell) };
  } catch (error) {
    if (!isExpected(error)) throw error;
    note(file, messageOf(error));
    return { hash, derived: undefined };
  }
}

/** Judges each claim as the record states it, by the cell that the raw samples give. */
function compareVerdicts({ claims, plan }: ResultRecord, cell: Cell, note: Note): Agreement {
  const verdicts = claims
    .filter((claim) => claim.cell === cell.id)
    .map((recorded) => {
      const { id, metric, treatment, limit } = recorded;
      const again = judge({ id, metric, treatment, limit, of: { id: cell.id } }, cell, plan.looks);
      return note(cell.id, firstDifference(recorded, again, `claim ${id}`));
    });
  return verdicts.find((verdict) => verdict === "differs") ?? verdicts[0] ?? "unchecked";
}

/** A record can come from anywhere, and must not have other files read. */
function requirePlainName({ file }: RawSamplesReference): string {
  if (/^raw\/[^/\\]+$/.test(file)) return file;
  throw new RangeError("Raw samples lie in raw/ beside the record, and nowhere else.");
}

function describeOtherBytes(
  { byteLength, sha256: expected }: RawSamplesReference,
  bytes: Uint8Array,
): string | undefined {
  if (bytes.byteLength !== byteLength) {
    return `the file has ${bytes.byteLength} bytes, and the record says ${byteLength}`;
  }
  const actual = sha256(bytes);
  return actual === expected
    ? undefined
    : `the file's SHA-256 is ${actual}, and the record says ${expected}`;
}

/** Costs are per token, and with too few blocks for an analysis nothing else depends on them. */
function describeOtherLength(blocks: readonly RawBlock[], tokens: number): string | undefined {
  const other = blocks
    .flatMap(({ runs }) => runs.map(({ deliveredNanoseconds }) => deliveredNanoseconds.length))
    .find((delivered) => delivered > 0 && delivered !== tokens);
  return other === undefined
    ? undefined
    : `a run delivered ${other} tokens, and the record says ${tokens}`;
}

/** What damaged or foreign files lead to, as opposed to a mistake in this program. */
function isExpected(error: unknown): boolean {
  const isSystemError = error instanceof Error && "syscall" in error;
  return isSystemError || isStreamgaugeError(error) || error instanceof RangeError;
}
