import { join } from "node:path";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import {
  checkModel,
  createInlineGenerator,
  createRuntime,
  type ModelCheck,
} from "@streamgauge/runtime";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";
import { byRangeRows, concatRows } from "./zoo/concat-rows.js";
import { runCourse } from "./zoo/course.js";
import { openFullContext } from "./zoo/full-context.js";
import { groupQueryRows } from "./zoo/group-query-rows.js";
import { openPlainLoop } from "./zoo/plain-loop.js";
import { refusedRows } from "./zoo/refused-rows.js";
import type { ZooRow } from "./zoo/zoo-row.js";

/** What became of each row. */
const table: (readonly [row: string, result: string])[] = [];

afterAll(() => {
  const width = Math.max(...table.map(([row]) => row.length));
  const lines = table.map(([row, result]) => `${row.padEnd(width)}  ${result}`);
  console.log(["The zoo:", ...lines].join("\n"));
});

/** As the course says it. */
function foundBy({ verdict, refusal, parts }: ModelCheck): string {
  const wrong = parts.find(({ difference, failure }) => difference ?? failure);
  if (wrong === undefined) return refusal?.message ?? verdict;
  const { index, logprob, expectedLogprob } = wrong.difference ?? {};
  return `${wrong.name}: ${wrong.failure ?? `token ${index}, ${logprob} for ${expectedLogprob}`}`;
}

/** What is wrong with a row in the course, which goes into the table too. */
async function faultsOf(row: ZooRow, openReference: typeof openFullContext): Promise<string[]> {
  const folder = join(await temporaryFolder(), "model");
  await row.write(folder);
  const parts = await runCourse(row, folder, { openReference });
  const check = await checkModel({ model: folder, threads: 1 });
  const faults = [...parts, { part: "check-model", found: foundBy(check) }]
    .filter(({ found }) => found !== "right")
    .map(({ part, found }) => `${part}: ${found.replaceAll(folder, "…")}`);
  table.push([row.name, faults.length === 0 ? "right" : faults.join("; ")]);
  return faults;
}

describe("the zoo's graphs make the ids of a full-context run, however they are run", () => {
  it.each([...concatRows, ...groupQueryRows].map((row) => [row.name, row] as const))(
    "%s",
    async (_, row) => {
      expect(await faultsOf(row, openFullContext)).toEqual([]);
    },
  );
});

describe("graphs that round by the range of a run make the ids of a loop with the same runs", () => {
  it.each(byRangeRows.map((row) => [row.name, row] as const))("%s", async (_, row) => {
    expect(await faultsOf(row, openPlainLoop)).toEqual([]);
  });
});

describe("graphs that cannot be fed are refused when they are loaded", () => {
  it.each(refusedRows.map((row) => [row.name, row] as const))("%s", async (_, row) => {
    const { expected } = row;
    if (expected === "right") throw new Error("The row is not one to be refused.");
    const folder = join(await temporaryFolder(), "model");
    await row.write(folder);
    const outcomes: string[] = [];
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
      }
      outcomes.push(outcome);
    }
    const [inline, pooled] = outcomes;
    table.push([row.name, inline === pooled ? `${inline}` : `${inline}; pool: ${pooled}`]);
    expect(outcomes).toEqual(["refused", "refused"]);
  });
});
