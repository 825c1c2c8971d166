import type { Block, Cell, ResultRecord, Run, Treatment } from "../record/index.js";
import { modeNames } from "../tables/table.js";
import type { SummaryOptions } from "./write-table.js";

/** Wide enough to see a trend, and beside its name not wider than 80. */
const mostColumns = 40;

/** Each mark is one unit of UTF-16. */
const unicodeSteps = "▁▂▃▄▅▆▇█";
const asciiSteps = "_.:-=+*#";

/**
 * How the run went, block after block: the time between tokens, and the
 * overhead. Of the cell with the most blocks that something is claimed of.
 */
export function sparklines(record: ResultRecord, options: SummaryOptions): string[] {
  const cell = mostWatched(record);
  if (cell === undefined) return [];
  const treatment = "stream";
  const times = cell.blocks.flatMap((block) => {
    const nanoseconds = runOf(block, treatment)?.timePerOutputTokenNanoseconds ?? null;
    return nanoseconds === null ? [] : [nanoseconds / 1e3];
  });
  const overheads = cell.blocks.flatMap((block) => {
    const [alone, streamed] = [runOf(block, "generate"), runOf(block, treatment)];
    if (alone === undefined || streamed === undefined) return [];
    return [100 * (streamed.endToEndNanoseconds / alone.endToEndNanoseconds - 1)];
  });
  const lines = [
    ...line("time per output token", times, "µs", options),
    ...line("overhead of each block", overheads, "%", options),
  ];
  if (lines.length === 0) return [];
  return [`Over the run, ${cell.id}, ${modeNames[treatment]}:`, ...lines];
}

/** A row of marks for values in the order in which they came; nothing for fewer than two. */
function line(
  name: string,
  values: readonly number[],
  unit: string,
  { unicode }: SummaryOptions,
): string[] {
  if (values.length < 2) return [];
  const medians = mediansOfGroups(values);
  const [least, most] = [Math.min(...medians), Math.max(...medians)];
  const steps = unicode ? unicodeSteps : asciiSteps;
  const marks = medians.map((value) => {
    const share = most === least ? 0 : (value - least) / (most - least);
    return steps[Math.min(steps.length - 1, Math.floor(share * steps.length))];
  });
  const range = `${least.toFixed(1)} to ${most.toFixed(1)} ${unit}`;
  return [`  ${name.padEnd(24)}${marks.join("")}  ${range}`];
}

/** One value for each column: the median of those that fall into it. */
function mediansOfGroups(values: readonly number[]): number[] {
  const columns = Math.min(mostColumns, values.length);
  return Array.from({ length: columns }, (_, column) => {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.floor(((column + 1) * values.length) / columns);
    const group = values.slice(from, to).toSorted((a, b) => a - b);
    return group[group.length >> 1] ?? 0;
  });
}

function mostWatched({ cells, claims }: ResultRecord): Cell | undefined {
  const claimed = cells.filter(({ id }) => claims.some(({ cell }) => cell === id));
  return claimed.toSorted((a, b) => b.blocks.length - a.blocks.length)[0];
}

function runOf({ runs }: Block, treatment: Treatment): Run | undefined {
  return runs.find((run) => run.treatment === treatment);
}
