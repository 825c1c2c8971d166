import { join } from "node:path";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { checkModel, createInlineGenerator, createRuntime } from "@streamgauge/runtime";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";
import { foundBy, howRun } from "./zoo/check-words.js";
import { byRangeRows, concatRows } from "./zoo/concat-rows.js";
import { runCourse } from "./zoo/course.js";
import { documentTable } from "./zoo/document-table.js";
import { openFullContext } from "./zoo/full-context.js";
import { groupQueryRows } from "./zoo/group-query-rows.js";
import { openPlainLoop } from "./zoo/plain-loop.js";
import { refusedRows } from "./zoo/refused-rows.js";
import { stateRows, stateRowsByRange } from "./zoo/state-rows.js";
import type { ZooRow } from "./zoo/zoo-row.js";

/** What became of each row, and how it is run or why it is not. */
const table: { readonly row: ZooRow; readonly result: string; readonly how: readonly string[] }[] =
  [];

afterAll(() => {
  const width = Math.max(...table.map(({ row }) => row.name.length));
  const lines = table.map(({ row, result }) => `${row.name.padEnd(width)}  ${result}`);
  console.log(["The zoo:", ...lines].join("\n"));
});

/** What is wrong with a row in the course, which goes into the table too. */
async function faultsOf(row: ZooRow, openReference: typeof openFullContext): Promise<string[]> {
  const folder = join(await temporaryFolder(), "model");
  await row.write(folder);
  const parts = await runCourse(row, folder, { openReference });
  const check = await checkModel({ model: folder, threads: 1 });
  const faults = [...parts, { part: "check-model", found: foundBy(check) }]
    .filter(({ found }) => found !== "right")
    .map(({ part, found }) => `${part}: ${found.replaceAll(folder, "…")}`);
  table.push({
    row,
    result: faults.length === 0 ? "right" : faults.join("; "),
    how: Object.values(howRun(check)),
  });
  return faults;
}

describe("the zoo's graphs make the ids of a full-context run, however they are run", () => {
  it.each([...concatRows, ...groupQueryRows, ...stateRows].map((row) => [row.name, row] as const))(
    "%s",
    async (_, row) => {
      expect(await faultsOf(row, openFullContext)).toEqual([]);
    },
  );
});

describe("graphs that round by the range of a run make the ids of a loop with the same runs", () => {
  it.each([...byRangeRows, ...stateRowsByRange].map((row) => [row.name, row] as const))(
    "%s",
    async (_, row) => {
      expect(await faultsOf(row, openPlainLoop)).toEqual([]);
    },
  );
});

describe("graphs that cannot be fed are refused when they are loaded", () => {
  it.each(refusedRows.map((row) => [row.name, row] as const))("%s", async (_, row) => {
    const { expected } = row;
    if (expected === "right") throw new Error("The row is not one to be refused.");
    const folder = join(await temporaryFolder(), "model");
    await row.write(folder);
    const outcomes: string[] = [];
    let reason = "";
    for (const open of [createInlineGenerator, createRuntime]) {
      let outcome: string;
      try {
        await using generator = await open({ model: folder, threads: 1 });
        outcome = `loaded, as ${generator.describe().architecture}`;
      } catch (error) {
        const { code } = error as StreamgaugeError;
        const message = messageOf(error).replaceAll(folder, "…");
        const isRefused =
          error instanceof StreamgaugeError &&
          code === expected.code &&
          expected.says.test(message);
        outcome = isRefused ? "refused" : `${code}: ${message}`;
        reason = reasonOf(message);
      }
      outcomes.push(outcome);
    }
    const [inline, pooled] = outcomes;
    const result = inline === pooled ? `${inline}` : `${inline}; pool: ${pooled}`;
    table.push({ row, result, how: [reason] });
    expect(outcomes).toEqual(["refused", "refused"]);
    expect((await checkModel({ model: folder, threads: 1 })).verdict).toBe("refused");
  });
});

/** The message without the file and the remedy, which are the same in all. */
function reasonOf(message: string): string {
  return message.replace(/^.*? can feed: /s, "").replace(/\. Use an export .*$/s, "");
}

// `UPDATE_DOCUMENTS=1 vitest run test/zoo.test.ts` writes it.
it("is what the documents say", async (context) => {
  const rows = [
    ...concatRows,
    ...groupQueryRows,
    ...stateRows,
    ...byRangeRows,
    ...stateRowsByRange,
  ];
  if (table.length < rows.length + refusedRows.length) {
    return context.skip("only some of the zoo was run");
  }
  const cellsOf = ({ name, seenIn }: ZooRow): string[] => {
    const how = table.find(({ row }) => row.name === name)?.how ?? [];
    return [name, seenIn, ...how];
  };
  const header = ["layout", "written by"];
  const tables = [
    await documentTable("zoo", [...header, "cache", "at once", "reuse"], rows.map(cellsOf)),
    await documentTable("refused", [...header, "why it is refused"], refusedRows.map(cellsOf)),
  ];
  for (const { found, expected } of tables) expect(found).toBe(expected);
});
