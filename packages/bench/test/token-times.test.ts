import { beforeAll, describe, expect, it } from "vitest";
import type { Cell, ResultRecord } from "../src/record/index.js";
import { notesIn, tokenTimes } from "../src/tables/index.js";
import { exampleRecord } from "./example-record.js";

/** One claimed cell: streaming costs nothing, asynchronous streaming 20 µs per token. */
let example: ResultRecord;
beforeAll(async () => {
  example = await exampleRecord();
});

/** A cell of the example in which both modes cost so many microseconds. */
function cellThatCosts(microseconds: number, changes: Partial<Cell> = {}): Cell {
  const [cell] = example.cells;
  const { analysis } = cell!;
  const interval95 = { lower: microseconds - 1, upper: microseconds + 1 };
  return {
    ...cell!,
    analysis: {
      ...analysis!,
      comparisons: analysis!.comparisons.map((comparison) => {
        const { costMicrosecondsPerToken: cost } = comparison;
        const hodgesLehmann = { ...cost.hodgesLehmann, value: microseconds, interval95 };
        return { ...comparison, costMicrosecondsPerToken: { ...cost, hodgesLehmann } };
      }),
    },
    ...changes,
  };
}

function recordOf(ring: object | undefined, ...cells: Cell[]): ResultRecord {
  const [generator] = example.generators;
  const [claim] = example.claims;
  return {
    ...example,
    generators: [{ ...generator!, description: { ring } }],
    cells,
    claims: cells
      .filter(({ maxDelayMilliseconds }) => maxDelayMilliseconds === undefined)
      .map(({ id }) => ({ ...claim!, metric: "overhead", treatment: "stream", cell: id })),
  };
}

/** By the time of a token: how the consumer is woken, the callback's cost and its share in percent. */
function seen(record: ResultRecord): unknown[][] {
  return tokenTimes(record).rows.map(({ values: [time, woken, cost, share] }) => [
    time,
    woken,
    ...[cost, share].map((value) =>
      typeof value === "object" && value !== null && "estimate" in value
        ? Number((value.estimate.value * (value.kind === "percentEstimate" ? 100 : 1)).toFixed(4))
        : value,
    ),
  ]);
}

describe("cost by the time of a token", () => {
  it("is what was measured, over each time, from the cell that costs most", () => {
    const record = recordOf(
      {},
      cellThatCosts(10, { id: "one", tokens: 10 }),
      cellThatCosts(40, { id: "two", tokens: 50 }),
      cellThatCosts(30, { id: "three", tokens: 100 }),
    );
    expect(seen(record)).toEqual([
      ["0.5 ms", "for each token", 40, 8],
      ["1 ms", "for each token", 40, 4],
      ["5 ms", "for each token", 40, 0.8],
      ["20 ms", "for each token", 40, 0.2],
      ["50 ms", "for each token", 40, 0.08],
    ]);
    expect(notesIn("document", tokenTimes(record))).toEqual([
      expect.stringMatching(
        /at 10, 50 and 100 tokens on .*; .* \(sync stream: 50, async stream: 50\)\.$/,
      ),
    ]);
  });

  it("takes a slow model's from a ring that wakes for each token, as a slow model does", () => {
    const record = recordOf(
      { maxDelayMilliseconds: 4 },
      cellThatCosts(5, { id: "grouped" }),
      cellThatCosts(40, { id: "each", maxDelayMilliseconds: 0 }),
      cellThatCosts(90, { id: "message", maxDelayMilliseconds: 0, ringWait: "message" }),
      cellThatCosts(90, { id: "longer", maxDelayMilliseconds: 0, tokens: 7 }),
    );
    expect(seen(record).map(([, ...rest]) => rest)).toEqual([
      ["every 4 ms", 5, 1],
      ["every 4 ms", 5, 0.5],
      ["for each token", 40, 0.8],
      ["for each token", 40, 0.2],
      ["for each token", 40, 0.08],
    ]);
    // What is measured alike is said once.
    const notes = notesIn("document", tokenTimes(record));
    expect(notes).toEqual([expect.stringMatching(/^Measured with fake/)]);
  });

  it("says which cells are of which ring where they differ", () => {
    const record = recordOf(
      { maxDelayMilliseconds: 4 },
      cellThatCosts(5, { id: "grouped", tokens: 10 }),
      cellThatCosts(6, { id: "longer", tokens: 50 }),
      cellThatCosts(40, { id: "each", tokens: 10, maxDelayMilliseconds: 0 }),
    );
    expect(notesIn("document", tokenTimes(record))).toEqual([
      expect.stringMatching(/^Measured .* at 10 and 50 tokens/),
      expect.stringMatching(/^Woken for each token: measured .* at 10 tokens\.$/),
    ]);
  });

  it("leaves out, and says so, what a record did not measure", () => {
    const record = recordOf({ maxDelayMilliseconds: 4 }, cellThatCosts(5));
    expect(seen(record).map(([time, , cost]) => [time, cost])).toEqual([
      ["0.5 ms", 5],
      ["1 ms", 5],
      ["5 ms", null],
      ["20 ms", null],
      ["50 ms", null],
    ]);
    expect(notesIn("document", tokenTimes(record)).at(-1)).toMatch(
      /slower than 4 ms per token .* did not measure what that costs/,
    );
    expect(tokenTimes({ ...record, claims: [] }).rows).toEqual([]);
  });

  it("says nothing of waking where there is no ring", () => {
    const rows = seen(recordOf(undefined, cellThatCosts(5)));
    expect(rows.map(([, woken]) => woken)).toEqual(["", "", "", "", ""]);
  });
});
