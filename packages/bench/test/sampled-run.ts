import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deriveCell } from "../src/conclude/derivation.js";
import { blockOrders } from "../src/measure/block-order.js";
import { RawSamplesWriter, type RawBlock, type RawRun } from "../src/measure/raw-samples.js";
import { treatments, type Cell, type ResultRecord, type Treatment } from "../src/record/index.js";
import { sha256 } from "../src/run/record-file.js";
import { storedText } from "../src/run/stored-record.js";
import { createDraw, type Draw } from "../src/statistics/draw.js";

/** How one cell of a {@link writeSampledRun} is drawn. */
interface DrawnCell extends Pick<Cell, "id" | "tokens"> {
  readonly concurrency?: number;
  readonly endsNaturally?: boolean;
  /** Whether the generator says when a token was made, and callbacks are timed. */
  readonly isTimed: boolean;
}

const drawnCells: readonly DrawnCell[] = [
  { id: "timed-10", tokens: 10, isTimed: true },
  { id: "two-streams-5", tokens: 5, concurrency: 2, isTimed: false },
  { id: "natural-12", tokens: 12, endsNaturally: true, isTimed: false },
];

/** Blocks of each process: not equally many, so that a mean over all blocks is another figure. */
const blocksOfProcesses = [2, 5, 3, 4, 2, 6, 3, 5, 4];

/**
 * Leaves a record of drawn times in a folder, with its raw samples: several processes, a cell of
 * several streams at once, one that times callbacks, and one whose generations end by themselves.
 *
 * @param base gives all that is not drawn
 */
export async function writeSampledRun(folder: string, base: ResultRecord): Promise<ResultRecord> {
  await mkdir(join(folder, "raw"), { recursive: true });
  const [template] = base.cells;
  if (template === undefined) throw new Error("The base has no cell.");
  const cells: Cell[] = [];
  for (const [index, { isTimed, ...own }] of drawnCells.entries()) {
    const blocks = drawBlocks({ isTimed, ...own }, 22_000 + index);
    const writer = new RawSamplesWriter({ runId: base.runId, cell: own.id });
    for (const block of blocks) writer.add(block);
    const bytes = await writer.finish();
    const file = `raw/${own.id}.bin.gz`;
    await writeFile(join(folder, file), bytes);
    cells.push({
      ...template,
      ...own,
      plannedBlocks: blocks.length,
      processes: blocksOfProcesses.map((count, process) => ({
        process,
        status: "complete",
        blocks: count,
        warmUp: template.warmUp,
      })),
      ...deriveCell(blocks, own),
      rawSamples: { file, byteLength: bytes.byteLength, sha256: sha256(bytes) },
    });
  }
  const record: ResultRecord = { ...base, cells, claims: [] };
  await writeFile(join(folder, "record.json"), storedText(record));
  return record;
}

function drawBlocks(cell: DrawnCell, seed: number): RawBlock[] {
  const draw = createDraw(seed);
  return blocksOfProcesses.flatMap((count, process) => {
    const orders = blockOrders(treatments, seed + process);
    // Each process has a speed of its own.
    const stepNanoseconds = 80_000 + draw.integer(0, 40_000);
    return Array.from({ length: count }, () => ({
      process,
      runs: orders.next().value.map((treatment) => drawRun(cell, treatment, stepNanoseconds, draw)),
    }));
  });
}

function drawRun(
  { tokens, concurrency = 1, endsNaturally, isTimed }: DrawnCell,
  treatment: Treatment,
  stepNanoseconds: number,
  draw: Draw,
): RawRun {
  const made = endsNaturally === true ? draw.integer(3, tokens) : tokens;
  const isStreamed = treatment === "stream" || treatment === "streamAsync";
  const delivered: number[] = [];
  let end = 0;
  for (let stream = 0; stream < concurrency; stream += 1) {
    let now = 0;
    for (let index = 0; index < made; index += 1) {
      now += stepNanoseconds + draw.integer(0, isStreamed ? 30_000 : 20_000);
      // One in fifty waits for a collection of garbage.
      if (draw.chance(0.02)) now += 900_000;
      if (isStreamed) delivered.push(now);
    }
    end = Math.max(end, now);
  }
  return {
    treatment,
    ...(endsNaturally === true && { tokens: made }),
    endToEndNanoseconds: end + 10_000,
    cpuMicroseconds: Math.round(end / 1100),
    eventLoopUtilization: draw.integer(0, 10_000) / 1e4,
    memory: {
      residentBytes: 150_000_000 + draw.integer(0, 1_000_000),
      heapUsedBytes: 12_000_000 + draw.integer(0, 1_000_000),
      externalBytes: 3_000_000,
      arrayBufferBytes: 500_000,
    },
    deliveredNanoseconds: Float64Array.from(delivered),
    producedNanoseconds: Float64Array.from(delivered, (now) =>
      isTimed ? now - draw.integer(0, 20_000) : Number.NaN,
    ),
    callbackNanoseconds: Float64Array.from(isTimed ? delivered : [], () => draw.integer(50, 5_000)),
  };
}
