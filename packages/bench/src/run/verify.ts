import { isStreamgaugeError, messageOf } from "@streamgauge/core";
import { judge } from "../conclude/claims.js";
import { deriveCell, tokensOf, type DerivedCell } from "../conclude/derivation.js";
import { firstDifference } from "../statistics/difference.js";
import { readRawSamples, type RawBlock } from "../measure/raw-samples.js";
import {
  describeOtherBytes,
  describeOtherOrigin,
  requirePlainName,
  type ReadBeside,
} from "./cell-samples.js";
import {
  describeLoad,
  type Cell,
  type ProcessPart,
  type ResultRecord,
  type EngineMeasurement,
  type TransportMeasurement,
} from "../record/index.js";
import { concludeEngine } from "../conclude/engine-analysis.js";
import { compareEndpoints } from "../conclude/endpoint-comparison.js";
import { concludeTransports } from "../conclude/transport-analysis.js";

/** `unchecked` where there is nothing to compare with. */
export type Agreement = "agrees" | "differs" | "unchecked";

/** A cell of a record, held against its raw samples. */
export interface CellVerification {
  readonly cell: string;
  /** Relative to the record; null where the cell names none. */
  readonly file: string | null;
  /** That the record says were measured. */
  readonly blockCount: number;
  /** Length and SHA-256 of the file. */
  readonly hash: Agreement;
  /** What each process measured, and how many blocks. */
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
 * A record's file leaves out the blocks that it can restore from raw samples. They are then no second
 * source, and what holds the samples is their SHA-256, the number of blocks of each process, and all
 * that is derived from them.
 *
 * @param readFile gives the bytes of a file that is named relative to the record
 * @param unrestored ids of cells whose blocks were left out and could not be restored
 */
export async function verifyRecord(
  record: ResultRecord,
  readFile: ReadBeside,
  unrestored: Iterable<string> = [],
): Promise<Verification> {
  const cells: CellVerification[] = [];
  const withoutBlocks = new Set(unrestored);
  for (const cell of record.cells) {
    cells.push(await verifyCell(record, cell, readFile, withoutBlocks.has(cell.id)));
  }
  const stray = record.claims
    .filter((claim) => record.cells.every(({ id }) => id !== claim.cell))
    .map(({ id, cell }) => `Claim ${id} is about ${cell}, and the record has no such cell.`);
  const { transports = [], engine = [] } = record;
  const otherTransports = transports.map(describeOtherTransports).filter((other) => other !== "");
  const otherEngine = engine.map(describeOtherEngine).filter((other) => other !== "");
  const { endpoints } = record;
  const otherEndpoints =
    endpoints === undefined
      ? ""
      : describeOther("The endpoints", endpoints, () => compareEndpoints(record.cells));
  const problems = [
    ...cells.flatMap((cell) => cell.problems),
    ...stray,
    ...(otherEndpoints === "" ? [] : [otherEndpoints]),
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
  readFile: ReadBeside,
  isWithoutBlocks: boolean,
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
  const blocks = isWithoutBlocks ? "unchecked" : compare("blocks");
  const isSampled = (cell.rawSamples ?? null) !== null;
  const parts = note(cell.id, describeOtherParts(isSampled ? cell.processes : [], derived?.blocks));
  const analysis = compare("analysis");
  const tails = compare("tails");
  return {
    cell: cell.id,
    file: cell.rawSamples?.file ?? null,
    blockCount: isWithoutBlocks ? sumOfBlocks(cell.processes) : cell.blocks.length,
    hash,
    blocks: parts === "differs" ? parts : blocks,
    distributions: compare("distributions"),
    analysis: tails === "differs" ? tails : analysis,
    verdicts:
      derived === undefined ? "unchecked" : compareVerdicts(record, { ...cell, ...derived }, note),
    problems,
  };
}

/** Keeps a problem, if there is one. */
type Note = (place: string, problem: string | undefined) => Agreement;

/** What the samples of a cell say; undefined where there are none, or they cannot be read. */
async function deriveFromFile(
  { runId }: ResultRecord,
  cell: Cell,
  readFile: ReadBeside,
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
    note(file, describeOtherOrigin({ runId, cell: cell.id }, origin));
    if (cell.endsNaturally !== true) note(file, describeOtherLength(blocks, tokensOf(cell)));
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

/**
 * Each process's number of blocks. Blocks of a process without a part are those of a part that was
 * not whole when the run was resumed.
 */
function describeOtherParts(
  parts: readonly ProcessPart[] = [],
  blocks: DerivedCell["blocks"] | undefined,
): string | undefined {
  if (blocks === undefined) return undefined;
  for (const part of parts) {
    const measured = blocks.filter(({ process = 0 }) => process === part.process).length;
    const difference = firstDifference(part.blocks, measured, `blocks of process ${part.process}`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function sumOfBlocks(parts: readonly ProcessPart[] = []): number {
  return parts.reduce((sum, { blocks }) => sum + blocks, 0);
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
