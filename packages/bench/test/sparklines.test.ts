import { describe, expect, it } from "vitest";
import type { Block, ResultRecord, Run } from "../src/record/index.js";
import { renderSummary } from "../src/terminal/summary.js";
import { exampleRecord } from "./example-record.js";

const plain = { color: false, unicode: false, recordPath: "results/record.json" };

/** The example with blocks whose streamed runs take what is given, and the others 10 ms. */
async function recordOf(streamedMilliseconds: readonly number[]): Promise<ResultRecord> {
  const record = await exampleRecord();
  const blocks = (sample: Block): Block[] =>
    streamedMilliseconds.map((milliseconds, index) => ({
      ...sample,
      index,
      runs: sample.runs.map((run): Run =>
        run.treatment === "stream"
          ? {
              ...run,
              endToEndNanoseconds: milliseconds * 1e6,
              timePerOutputTokenNanoseconds: milliseconds * 1e5,
            }
          : { ...run, endToEndNanoseconds: 10e6 },
      ),
    }));
  return {
    ...record,
    cells: record.cells.map((cell) => ({ ...cell, blocks: blocks(cell.blocks[0]!) })),
  };
}

describe("sparklines", () => {
  it("show how the run went, block after block", async () => {
    const text = renderSummary(await recordOf([10, 11, 12, 17]), { ...plain, unicode: true });
    expect(text).toContain("Over the run, fake-10, sync stream:");
    expect(text).toMatch(/time per output token +▁▂▃█ {2}1000\.0 to 1700\.0 µs/);
    expect(text).toMatch(/overhead of each block +▁▂▃█ {2}0\.0 to 70\.0 %/);
    expect(text.indexOf("upheld")).toBeLessThan(text.indexOf("Over the run"));
  });

  it("are plain ASCII where the terminal may show nothing else", async () => {
    const text = renderSummary(await recordOf([10, 11, 12, 17]), plain);
    expect(text).toMatch(/time per output token +_\.:# {2}1000\.0 to 1700\.0 us/);
    expect(text).toMatch(/^[\n -~]*$/);
  });

  it("stay narrow, and flat where nothing changes", async () => {
    const many = await recordOf(Array.from({ length: 1000 }, (_, index) => 10 + index));
    const [, marks] = /overhead of each block +([_.:=+*#-]+) /.exec(renderSummary(many, plain))!;
    expect(marks).toHaveLength(40);
    expect(marks).toMatch(/^_.*#$/);
    expect(renderSummary(await recordOf([12, 12, 12]), plain)).toMatch(
      /block +___ {2}20\.0 to 20\.0 %/,
    );
  });

  it("are left out where there is nothing to show", async () => {
    expect(renderSummary(await recordOf([10]), plain)).not.toContain("Over the run");
    const record = { ...(await recordOf([10, 11])), claims: [] };
    expect(renderSummary(record, plain)).not.toContain("Over the run");
  });
});
