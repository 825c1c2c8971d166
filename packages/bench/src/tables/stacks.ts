import type {
  ResultRecord,
  StackAtSize,
  StackGrowth,
  StackMeasurement,
  StackSummary,
} from "../record/index.js";
import { column, documentColumn, type Column, type Table } from "./table.js";
import {
  bytes,
  cpuTime,
  decimal,
  duration,
  phrase,
  ratioEstimate,
  ratio,
  several,
  type Value,
} from "./value.js";

/** What libraries cost that carry a stream: a table for each generator. */
export function stacks({ stacks: measured = [] }: ResultRecord): Table[] {
  const said = (index: number) =>
    measured.slice(0, index).flatMap(({ leftOut }) => leftOut.map(({ stack }) => stack));
  return measured.map((measurement, index) => ({
    ...tableOf(measurement, said(index)),
    // They stand under the first, and are the same for all.
    definitions: index === 0 ? ["cost of a stack", "bytes of a stack", "growth of a stack"] : [],
  }));
}

/** A column, and what it has of a stack. */
type Field = readonly [Column, (summary: StackSummary) => Value];

/** @param said stacks of which an earlier table says that they are left out */
function tableOf(measurement: StackMeasurement, said: readonly string[]): Table {
  const { model, host, stacks: summaries, warmUp, leftOut } = measurement;
  const counts = summaries[0]?.sizes.map(({ tokens }) => tokens) ?? [];
  const blocks = summaries[0]?.sizes[0]?.cpuMicroseconds.length ?? 0;
  const fields = counts.length > 1 ? growing : atOneCount;
  const tokens = `${counts.join(" / ")} tokens`;
  const steadiness = warmUp.steady ? "" : ", whose times still drift after the warm-up";
  return {
    heading: `What a stack costs: ${model}, ${host}, ${tokens}`,
    title:
      `What a stack costs: ${model}, ${host}, ${tokens} (${blocks} blocks; per token: CPU in µs,\n` +
      "less: minus the CPU of what it is built on, delay from made to read, bytes allocated):",
    columns: fields.map(([head]) => head),
    rows: summaries.map((summary) => ({ values: fields.map(([, valueOf]) => valueOf(summary)) })),
    notes: [
      { text: `${blocks} blocks${steadiness}. ${terms}`, only: "document" },
      { text: librariesOf(summaries), only: "document" },
      ...leftOut
        .filter(({ stack }) => !said.includes(stack))
        .map(({ stack, reason }) => `Left out: ${stack}: ${reason}.`),
    ],
  };
}

const terms =
  "Without a socket this process makes the server-sent events, so the cost of a reader includes " +
  "making them; “less” takes that off if another stack reads the same events. " +
  "With a socket another process makes tokens and events, and its CPU time is not counted. " +
  "smoothStream runs without its delay, which is 10 ms for each word.";

function librariesOf(summaries: readonly StackSummary[]): string {
  const known = new Map(
    summaries.flatMap(({ library }) => (library === null ? [] : [[library.name, library]])),
  );
  const words = [...known.values()].map(
    ({ name, version, nodeRange }) =>
      `${name} ${version}${nodeRange === null ? "" : ` (asks for Node.js ${nodeRange})`}`,
  );
  return words.length === 0 ? "No library was measured." : `Libraries: ${words.join(", ")}.`;
}

const name: Field = [column("stack", "stack"), ({ stack }) => stack];
const lessThat: Field = [documentColumn("less that of"), ({ against }) => against];

/** Several token counts in each column. */
const growing: readonly Field[] = [
  name,
  [column("CPU", "CPU, µs per token"), each((size) => cpuTime(size.cpuMicrosecondsPerToken))],
  [
    { ...column("less", "less another's, at the most tokens"), intervalsIn: "document" },
    (summary) => addedAtLargest(summary),
  ],
  lessThat,
  [
    documentColumn("wall time per token"),
    each((size) => duration(size.durationNanosecondsPerToken)),
  ],
  [
    column("CPU grows as tokens^", "CPU grows with tokens to the power of"),
    ({ cpuGrowth }) => growthValue(cpuGrowth),
  ],
  [
    column("bytes", "bytes per token"),
    each((size) => bytes(size.allocatedBytesPerToken ?? undefined)),
  ],
  [
    documentColumn("bytes grow with tokens to the power of"),
    ({ allocationGrowth }) => growthValue(allocationGrowth),
  ],
];

/** One token count, at a pace: the process's CPU time has that of the engine in it. */
const atOneCount: readonly Field[] = [
  name,
  [column("less", "CPU, µs per token, less another's"), (summary) => addedAtLargest(summary)],
  lessThat,
  [documentColumn("CPU, µs per token"), each((size) => cpuTime(size.cpuMicrosecondsPerToken))],
  [
    column("delay p50", "delivery latency p50"),
    each((size) => duration(size.deliveryLatency?.p50Nanoseconds)),
  ],
  [column("p99", "p99"), each((size) => duration(size.deliveryLatency?.p99Nanoseconds))],
  [
    column("tokens/piece", "tokens per piece of text"),
    each((size) => decimal(size.tokensPerPiece)),
  ],
];

function each(valueOf: (size: StackAtSize) => Value): (summary: StackSummary) => Value {
  return ({ sizes }) => (sizes.length === 1 ? valueOf(sizes[0]!) : several(sizes.map(valueOf)));
}

function addedAtLargest({ against, sizes }: StackSummary): Value {
  if (against === null) return null;
  return ratioEstimate(sizes.at(-1)?.addedCpuMicrosecondsPerToken?.hodgesLehmann);
}

function growthValue(growth: StackGrowth | null): Value {
  if (growth === null) return null;
  const { estimates, exponent } = growth;
  if (estimates === null) return ratio(exponent);
  return phrase(ratioEstimate(estimates.hodgesLehmann), ` ${growth.order}`);
}
