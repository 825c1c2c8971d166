import type { Cell, Comparison, ResultRecord } from "../record/index.js";
import { comparisonOf } from "./comparisons.js";
import { column, columns, modeNames, type Row, type Table } from "./table.js";
import { decimalEstimate, percentEstimate, type Interval } from "./value.js";

/** Times of a token, in milliseconds, for which the share is told: a small model to a large one. */
const tokenMilliseconds = [0.5, 1, 5, 20, 50] as const;

const streamed = ["stream", "streamAsync"] as const;
type Streamed = (typeof streamed)[number];

/**
 * What streaming costs per token, and which share of a token's time that is for models of 0.5 to
 * 50 ms per token. The costs are measured: for each mode that of the claims' cell where it is the
 * highest. A ring may wake its consumer once for several tokens of a fast model; a model that is
 * slower than that delay wakes it for each token, so its row has the cost of the same cells with
 * such a ring, and none where the record did not measure one.
 */
export function tokenTimes(record: ResultRecord): Table {
  const claimed = claimedCells(record);
  const [first] = claimed;
  const delay = first === undefined ? undefined : ringDelayOf(record, first);
  const everyToken = delay ? wokenForEach(record, claimed) : claimed;
  const rows = (first === undefined ? [] : tokenMilliseconds).map((milliseconds): Row => {
    const isGrouped = delay !== undefined && delay > 0 && milliseconds <= delay;
    const cells = isGrouped ? claimed : everyToken;
    return {
      values: [
        `${milliseconds} ms`,
        isGrouped ? `every ${delay} ms` : delay === undefined ? "" : "for each token",
        ...streamed.flatMap((mode) => {
          const cost = mostExpensive(cells, mode)?.cost;
          return [decimalEstimate(cost), percentEstimate(cost && shareOf(cost, milliseconds), 2)];
        }),
      ],
    };
  });
  return {
    heading: "What streaming costs",
    title: "Cost of streaming by the time a model takes for a token [95 %]:",
    columns: [
      ...columns("a token takes", "consumer woken"),
      ...streamed.flatMap((mode) => [
        column(`${modeNames[mode]}, µs`, `${modeNames[mode]}, µs per token`),
        ...columns("of its time"),
      ]),
    ],
    rows,
    introduction:
      "How much longer a token takes than with generate(), and which share of its time that is. " +
      "Consumer woken: how often your thread, which sleeps meanwhile, is woken for tokens.",
    notes: [
      ...terms(record, claimed),
      ...(isTheSame(terms(record, claimed), terms(record, everyToken))
        ? []
        : terms(record, everyToken, "Woken for each token: measured")),
      ...(delay && everyToken.length === 0
        ? [
            `A model slower than ${delay} ms per token wakes its consumer for each token; ` +
              "this record did not measure what that costs.",
          ]
        : []),
    ],
    definitions: ["absolute cost"],
  };
}

/** The analysed cells whose overhead is claimed, of the first generator that has any. */
function claimedCells({ cells, claims }: ResultRecord): Cell[] {
  const ids = new Set(
    claims.filter(({ treatment }) => treatment !== "control").map(({ cell }) => cell),
  );
  const overhead = new Set(
    claims.filter(({ metric }) => metric === "overhead").map(({ cell }) => cell),
  );
  const wanted = overhead.size > 0 ? overhead : ids;
  const found = cells.filter(({ id, analysis }) => wanted.has(id) && analysis !== null);
  return found.filter(({ generator }) => generator === found[0]?.generator);
}

/** The same cells of the record on a ring that wakes its consumer for each token. */
function wokenForEach({ cells }: ResultRecord, claimed: readonly Cell[]): Cell[] {
  const [first] = claimed;
  return cells.filter(
    (cell) =>
      cell.analysis !== null &&
      cell.maxDelayMilliseconds === 0 &&
      cell.model === first?.model &&
      cell.host === first.host &&
      claimed.some(({ tokens }) => tokens === cell.tokens) &&
      [cell.ringWait, cell.ringCapacity, cell.publishBatch, cell.workload, cell.sampling].every(
        (variation) => variation === undefined,
      ) &&
      (cell.concurrency ?? 1) === 1,
  );
}

/** How long the ring may leave its consumer asleep; undefined without a ring. Older ones never did. */
function ringDelayOf({ generators }: ResultRecord, cell: Cell): number | undefined {
  const description = generators.find(({ id }) => id === cell.generator)?.description;
  const ring = fieldOf(description, "ring");
  if (ring === undefined) return undefined;
  const delay = cell.maxDelayMilliseconds ?? fieldOf(ring, "maxDelayMilliseconds");
  return typeof delay === "number" ? delay : 0;
}

/** What a generator says about itself is its own; a field of it may be anything. */
function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

/** The cell where a mode costs most, by its estimate. */
function mostExpensive(
  cells: readonly Cell[],
  mode: Streamed,
): { readonly cell: Cell; readonly cost: Interval } | undefined {
  return cells
    .flatMap((cell) => {
      const found: Comparison | undefined = comparisonOf(cell, mode);
      return found ? [{ cell, cost: found.costMicrosecondsPerToken.hodgesLehmann }] : [];
    })
    .toSorted((one, other) => other.cost.value - one.cost.value)[0];
}

function shareOf({ value, interval95 }: Interval, milliseconds: number): Interval {
  const share = (microseconds: number): number => microseconds / (milliseconds * 1000);
  return {
    value: share(value),
    interval95: { lower: share(interval95.lower), upper: share(interval95.upper) },
  };
}

/** Which cells the costs are of. */
function terms({ environment }: ResultRecord, cells: readonly Cell[], opening?: string): string[] {
  const [first] = cells;
  if (first === undefined) return [];
  const sizes = cells.map(({ tokens }) => tokens);
  const highest = streamed.flatMap((mode) => {
    const found = mostExpensive(cells, mode);
    return found === undefined ? [] : [`${modeNames[mode]}: ${found.cell.tokens}`];
  });
  const host = first.host === "pooled" ? "a worker thread" : "the consuming thread";
  const machine =
    opening === undefined
      ? ` on ${environment.cpuModel}, ${environment.logicalCores} logical cores`
      : "";
  const choice = sizes.length === 1 ? "" : `; the highest cost is shown (${highest.join(", ")})`;
  return [
    `${opening ?? "Measured"} with ${first.model} in ${host} at ${listOf(sizes)} tokens${machine}${choice}.`,
  ];
}

/** Whether it is said of the same sizes, and of the same ones that cost most. */
function isTheSame([one]: readonly string[], [other]: readonly string[]): boolean {
  return one === other;
}

function listOf(sizes: readonly number[]): string {
  const before = sizes.slice(0, -1).join(", ");
  return `${before}${before === "" ? "" : " and "}${sizes.at(-1)}`;
}
