import { analyze } from "./analysis.js";
import type { RawBlock, RawRun } from "../measure/raw-samples.js";
import type { Block, Cell, CellIdentity, Run } from "../record/index.js";
import { Distributions } from "../measure/recorder.js";
import { median } from "../statistics/index.js";
import { compareTails } from "./tails.js";

/** What a record says of a cell because its raw samples say so. */
export type DerivedCell = Required<Pick<Cell, "blocks" | "distributions" | "analysis" | "tails">>;

/** What of a cell its raw samples do not say themselves. */
export type RunShape = Pick<CellIdentity, "tokens" | "concurrency">;

/** Derives all of it, as the bench does when the cell ends. */
export function deriveCell(rawBlocks: readonly RawBlock[], shape: RunShape): DerivedCell {
  const blocks = rawBlocks.map((block, index) => deriveBlock(block, index, shape));
  const distributions = new Distributions();
  for (const { runs } of rawBlocks) {
    for (const run of runs) distributions.add(run.treatment, run, shape.concurrency);
  }
  return {
    blocks,
    distributions: distributions.summarize(),
    analysis: analyze(blocks, tokensOf(shape)),
    tails: compareTails(blocks),
  };
}

/** Tokens made by each run, all its generations together. */
export function tokensOf({ tokens, concurrency = 1 }: RunShape): number {
  return tokens * concurrency;
}

/** A block as the record shows it. */
export function deriveBlock({ process, runs }: RawBlock, index: number, shape: RunShape): Block {
  return {
    index,
    ...(process > 0 && { process }),
    runs: runs.map((run) => deriveRun(run, shape)),
  };
}

function deriveRun(raw: RawRun, { concurrency = 1 }: RunShape): Run {
  const { callbackNanoseconds: callbacks, tokens } = raw;
  const streams = splitStreams(raw.deliveredNanoseconds, concurrency);
  const firsts = streams.map((delivered) => delivered[0] as number);
  const steps = streams
    .filter(({ length }) => length > 1)
    .map((delivered) => {
      const [first, last] = [delivered[0] as number, delivered.at(-1) as number];
      // What is delivered can be more than one token at once, or less.
      return (last - first) / (Math.max(2, tokens ?? delivered.length) - 1);
    });
  return {
    treatment: raw.treatment,
    ...(tokens !== undefined && { tokens }),
    endToEndNanoseconds: raw.endToEndNanoseconds,
    timeToFirstTokenNanoseconds: firsts.length === 0 ? null : Math.round(median(firsts)),
    timePerOutputTokenNanoseconds: steps.length === 0 ? null : Math.round(median(steps)),
    cpuMicroseconds: raw.cpuMicroseconds,
    eventLoopUtilization: raw.eventLoopUtilization,
    ...(callbacks.length > 0 && {
      callbackNanoseconds: callbacks.reduce((sum, nanoseconds) => sum + nanoseconds, 0),
    }),
    memory: raw.memory,
  };
}

/** Equal parts; none of nothing. */
function splitStreams(delivered: Float64Array, streams: number): Float64Array[] {
  if (delivered.length === 0) return [];
  const length = Math.max(1, Math.floor(delivered.length / streams));
  return Array.from({ length: Math.ceil(delivered.length / length) }, (_, stream) =>
    delivered.subarray(stream * length, (stream + 1) * length),
  );
}
