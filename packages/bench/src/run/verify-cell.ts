import { messageOf } from "@streamgauge/core";
import { isMadeFor, judge } from "../conclude/claims.js";
import { deriveCell, tokensOf, type DerivedCell } from "../conclude/derivation.js";
import { blockOrders } from "../measure/block-order.js";
import { readRawSamples, type RawBlock } from "../measure/raw-samples.js";
import {
  treatments,
  type Cell,
  type Claim,
  type ProcessPart,
  type ResultRecord,
  type Treatment,
} from "../record/index.js";
import { firstDifference } from "../statistics/difference.js";
import { followsOlderRules, isExpected, type Agreement } from "./agreement.js";
import {
  describeOtherBytes,
  describeOtherOrigin,
  requirePlainName,
  type ReadBeside,
} from "./cell-samples.js";
import { seedOfProcess } from "./execution.js";

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

/**
 * Derives a cell's blocks, histograms, analysis and verdicts again from its raw samples, and holds the
 * order of its runs against the seed.
 *
 * @param claims those of the record's list; undefined where it has none, and each is judged as it says
 * @param isWithoutBlocks they were left out of the record's file and could not be restored
 */
export async function verifyCell(
  record: ResultRecord,
  cell: Cell,
  readFile: ReadBeside,
  {
    claims,
    isWithoutBlocks,
  }: { readonly claims: readonly Claim[] | undefined; readonly isWithoutBlocks: boolean },
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
  const parts = [
    note(cell.id, describeOtherParts(isSampled ? cell.processes : [], derived?.blocks)),
    note(cell.id, describeOtherOrder(record, cell, derived?.blocks)),
  ].find((agreement) => agreement === "differs");
  const isOlder = followsOlderRules(record);
  const analysis = isOlder ? "unchecked" : compare("analysis");
  const tails = compare("tails");
  return {
    cell: cell.id,
    file: cell.rawSamples?.file ?? null,
    blockCount: isWithoutBlocks ? sumOfBlocks(cell.processes) : cell.blocks.length,
    hash,
    blocks: parts ?? blocks,
    distributions: compare("distributions"),
    analysis: tails === "differs" ? tails : analysis,
    verdicts:
      derived === undefined || isOlder
        ? "unchecked"
        : compareVerdicts(record, { ...cell, ...derived }, claims, note),
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

/** Judges each claim by the cell that the raw samples give. */
function compareVerdicts(
  { claims: results, plan }: ResultRecord,
  cell: Cell,
  claims: readonly Claim[] | undefined,
  note: Note,
): Agreement {
  const verdicts = results
    .filter((result) => result.cell === cell.id)
    .map((recorded) => {
      const { id, metric, treatment, limit } = recorded;
      const stated: Claim = { id, metric, treatment, limit, of: { id: cell.id } };
      const listed = claims?.find((claim) => claim.id === id && isMadeFor(claim, cell));
      const again = judge(listed ?? stated, cell, plan.looks);
      return note(cell.id, firstDifference(recorded, again, `claim ${id}`));
    });
  return verdicts.find((verdict) => verdict === "differs") ?? verdicts[0] ?? "unchecked";
}

/** The seed draws the order of the runs in the blocks of each process. */
function describeOtherOrder(
  { seed, version, cells }: ResultRecord,
  { id, against }: Cell,
  blocks: DerivedCell["blocks"] | undefined,
): string | undefined {
  // The orders of older versions were drawn in other ways.
  if (blocks === undefined || version === 3 || !Number.isSafeInteger(seed)) return undefined;
  // Runs of two endpoints share a block, whose order is drawn for both.
  if (against !== undefined || cells.some((other) => other.against === id)) return undefined;
  const orders = new Map<number, ReturnType<typeof blockOrders<Treatment>>>();
  for (const { index, process = 0, runs } of blocks) {
    const drawn = orders.get(process) ?? blockOrders(treatments, seedOfProcess(seed, process));
    orders.set(process, drawn);
    const expected = drawn.next().value;
    if (runs.every(({ treatment }, at) => treatment === expected[at])) continue;
    return `the runs of block ${index} come in another order than the seed ${seed} draws`;
  }
  return undefined;
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
