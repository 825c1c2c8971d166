import { messageOf, StreamgaugeError } from "@streamgauge/core";
import { readRawSamples, type RawBlock, type RawSamples } from "../../measure/raw-samples.js";
import type { CellPlan, Stage } from "../../plan/stage.js";
import { identityOf } from "../../record/index.js";
import { MismatchError } from "../../record/shape.js";
import { firstDifference } from "../../statistics/difference.js";
import { measurementId } from "../execution.js";
import type { RunSink } from "../journal.js";
import { partDocument } from "./part-document.js";
import type { PartDocument, PartEntry, PartIdentity, RecordedPart } from "./recorded-part.js";

/** What a part is held against, and who hears of it. */
export interface Replay {
  /** Which part was asked for. */
  readonly expected: PartIdentity;
  /** What it was asked to measure. */
  readonly stages: readonly Stage[];
  /** Ids of cells and measurements that are in the record already, or need no more. */
  readonly leaveOut: readonly string[];
  readonly sink: RunSink;
  /** Told that the part is right, before the sink is told of anything in it. */
  readonly onChecked: () => Promise<void>;
}

/**
 * Tells a sink what a process on another machine said, as if it said it now. All of it is checked
 * first: a part is taken whole, or not at all.
 *
 * @throws StreamgaugeError `INVALID_PART` naming what is wrong; what the sink throws
 */
export async function replayPart(
  { document, files }: RecordedPart,
  { expected, stages, leaveOut, sink, onChecked }: Replay,
): Promise<void> {
  const { entries, peakResidentBytes } = checkDocument(document, expected);
  requireAsked(entries, stages);
  const blocks = await readBlocks(entries, files, expected);
  await onChecked();
  for (const entry of entries) {
    switch (entry.kind) {
      case "generator":
        await sink.generatorOpened(entry.generator);
        break;
      case "cell":
        if (leaveOut.includes(entry.plan.id)) break;
        await replayCell(entry, blocks.get(entry.plan.id) ?? [], stages, sink);
        break;
      case "measurement":
        if (leaveOut.includes(entry.id)) break;
        await sink.measured(entry.id, entry.measurements);
        break;
      case "file":
        await sink.fileMade(entry.name, fileOf(files, entry.file));
        break;
      default:
        entry satisfies never;
    }
  }
  await sink.processDone(peakResidentBytes);
}

type CellEntry = Extract<PartEntry, { readonly kind: "cell" }>;

async function replayCell(
  { plan: { id }, part }: CellEntry,
  blocks: readonly RawBlock[],
  stages: readonly Stage[],
  sink: RunSink,
): Promise<void> {
  await sink.cellBegun(plansOf(stages).get(id) as CellPlan, part.process);
  for (const block of blocks) await sink.blockDone(id, block);
  await sink.cellDone(id, part);
}

function checkDocument(document: unknown, { runId, process }: PartIdentity): PartDocument {
  try {
    partDocument(document, "part");
  } catch (cause) {
    if (!(cause instanceof MismatchError)) throw cause;
    throw invalid(cause.message, cause);
  }
  if (document.runId !== runId || document.process !== process) {
    throw invalid(
      `it is process ${document.process} of ${document.runId}, and ${process} of ${runId} was ` +
        `asked for.`,
    );
  }
  return document;
}

/** Neither more nor less than was asked for. */
function requireAsked(entries: readonly PartEntry[], stages: readonly Stage[]): void {
  const plans = plansOf(stages);
  const measurements = new Set(
    stages.flatMap((stage) => stage.measurements.map((plan) => measurementId(stage, plan))),
  );
  const wanted = new Set([
    ...stages.flatMap(({ cells }) => cells.map(({ id }) => id)),
    ...measurements,
  ]);
  const seen = new Set<string>();
  for (const entry of entries) {
    if (entry.kind === "file") requireFileName(entry.name);
    if (entry.kind !== "cell" && entry.kind !== "measurement") continue;
    const id = entry.kind === "cell" ? entry.plan.id : entry.id;
    if (seen.has(id)) throw invalid(`${id} is in it twice.`);
    seen.add(id);
    wanted.delete(id);
    if (entry.kind === "cell") requirePlanned(entry, plans.get(id));
    else if (!measurements.has(id)) throw invalid(`nobody asked for ${id}.`);
  }
  const [missing] = wanted;
  if (missing !== undefined) throw invalid(`${missing} is missing.`);
}

function requirePlanned({ plan, part }: CellEntry, asked: CellPlan | undefined): void {
  if (asked === undefined) throw invalid(`nobody asked for the cell ${plan.id}.`);
  const { blocks } = asked;
  const other = firstDifference(
    { ...identityOf(asked), blocks },
    { ...identityOf(plan), blocks: plan.blocks },
    "it",
    "in the part",
  );
  if (other !== undefined) throw invalid(`the cell ${plan.id} is another: ${other}.`);
  if (part.status !== "complete" && part.status !== "failed") {
    throw invalid(`the cell ${plan.id} is ${part.status}.`);
  }
}

/** What belongs to the record itself is not for a measurement to write. */
function requireFileName(name: string): void {
  if (/^[\w-]+\/[^/\\]+$/.test(name) && !name.startsWith("raw/")) return;
  throw invalid("it names a file outside of the folders for files.");
}

async function readBlocks(
  entries: readonly PartEntry[],
  files: ReadonlyMap<string, Uint8Array>,
  { runId, process }: PartIdentity,
): Promise<ReadonlyMap<string, readonly RawBlock[]>> {
  const found = new Map<string, readonly RawBlock[]>();
  for (const entry of entries) {
    if (entry.kind === "file") fileOf(files, entry.file);
    if (entry.kind !== "cell") continue;
    const { plan, part, file } = entry;
    const samples = file === null ? undefined : await readSamples(plan.id, fileOf(files, file));
    const blocks = samples?.blocks ?? [];
    if (samples !== undefined && (samples.runId !== runId || samples.cell !== plan.id)) {
      throw invalid(`the samples of ${plan.id} are of another run or cell.`);
    }
    // A cell that failed has had more or fewer runs than it counted.
    const isCounted = blocks.length === part.blocks || part.status === "failed";
    if (!isCounted || blocks.length > plan.blocks || part.process !== process) {
      throw invalid(`${plan.id} counts ${part.blocks} blocks, and has ${blocks.length}.`);
    }
    if (blocks.some((block) => block.process !== process)) {
      throw invalid(`${plan.id} has blocks of another process.`);
    }
    found.set(plan.id, blocks);
  }
  return found;
}

async function readSamples(cell: string, bytes: Uint8Array): Promise<RawSamples> {
  try {
    return await readRawSamples(bytes);
  } catch (cause) {
    throw invalid(`the samples of ${cell} do not read: ${messageOf(cause)}`, cause);
  }
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name);
  if (bytes === undefined) throw invalid(`its file ${JSON.stringify(name)} is missing.`);
  return bytes;
}

/** Every cell that a process may measure, those of counterparts too. */
function plansOf(stages: readonly Stage[]): ReadonlyMap<string, CellPlan> {
  return new Map(
    stages
      .flatMap(({ cells, counterpart }) => [...cells, ...(counterpart?.cells ?? [])])
      .map((plan) => [plan.id, plan]),
  );
}

function invalid(what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_PART",
    `What a machine measured is not what it was asked for: ${what} Run the same version of ` +
      `streamgauge on every machine.`,
    { cause },
  );
}
