import { rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runBench, verifyRecord, type BenchOptions, type ResultRecord } from "@streamgauge/bench";
import { tinyModule, withModule } from "./scenario-module.js";

const timeout = 120_000;

const source = `${tinyModule(20)}
export const ranged = {
  ...tiny,
  name: "ranged",
  stages: (size) =>
    tiny.stages(size).map((stage) => ({
      ...stage,
      generator: { ...stage.generator, id: "ranged" },
      cells: stage.cells.map((cell) => ({
        ...cell,
        id: cell.id.replace("tiny", "ranged"),
        scenario: "ranged",
        generator: "ranged",
        range: [1, 12],
      })),
    })),
};
`;

function options(url: string, outputFolder: string, rest: BenchOptions = {}): BenchOptions {
  return {
    preset: "standard",
    scenarios: ["tiny"],
    modules: [url],
    seed: 3,
    outputFolder,
    claims: [],
    ...rest,
  };
}

function parts({ cells }: ResultRecord) {
  return cells.map(({ id, status, processes, blocks }) => ({
    id,
    status,
    parts: processes?.map((part) => [part.process, part.status, part.blocks]),
    processes: blocks.map((block) => block.process ?? 0),
  }));
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7];
const whole = ["tiny-5", "tiny-10"].map((id) => ({
  id,
  status: "complete",
  parts: eight.map((process) => [process, "complete", 2]),
  processes: eight.flatMap((process) => [process, process]),
}));

describe("a run in several processes", () => {
  it(
    "joins the blocks of all of them, and verifies",
    async () => {
      await withModule(source, async (url, folder) => {
        const seen = new Set<string>();
        const { record } = await runBench(
          options(url, folder, {
            onProgress: ({ process }) => seen.add(`${process?.index} of ${process?.count}`),
          }),
        );
        expect(record).toMatchObject({ status: "complete", version: 4 });
        expect(parts(record)).toEqual(whole);
        expect(seen).toEqual(new Set(eight.map((index) => `${index} of 8`)));
        const [control] = record.cells[0]?.analysis?.comparisons ?? [];
        expect(control).toMatchObject({ blocks: 16, processes: 8 });
        // Other orders in each process.
        const orders = record.cells[0]?.blocks.map(({ runs }) =>
          runs.map(({ treatment }) => treatment).join(" "),
        );
        expect(new Set(orders).size).toBeGreaterThan(2);
        const read = (file: string): Promise<Uint8Array> => readFile(join(folder, file));
        expect((await verifyRecord(record, read)).outcome).toBe("agrees");
      });
    },
    timeout,
  );

  it(
    "gives cells with a range what the processes before showed, also when it is resumed",
    async () => {
      const claims: BenchOptions["claims"] = [
        { id: "a", metric: "overhead", treatment: "stream", limit: 1e-4, of: { tokens: 5 } },
      ];
      await withModule(source, async (url, folder) => {
        const controller = new AbortController();
        const first = await runBench(
          options(url, folder, {
            preset: "quick",
            scenarios: ["ranged"],
            claims,
            signal: controller.signal,
            onProgress: ({ process, subject, phase }) => {
              if (process?.index === 3 && subject === "ranged-10" && phase === "measure") {
                controller.abort();
              }
            },
          }),
        );
        expect(first.record.status).toBe("interrupted");
        const { record } = await runBench({ resume: folder, modules: [url], claims });
        expect(record).toMatchObject({ status: "complete", profile: "quick" });
        // Nothing is claimed of ten tokens, and no number of blocks decides the other claim.
        const counts = record.cells.map(({ id, processes, plannedBlocks }) => {
          const blocks = processes.map((part) => part.blocks);
          return { id, blocks, plannedBlocks };
        });
        const [most, fewest] = [12, 1].map((blocks) => [2, ...Array<number>(7).fill(blocks)]);
        expect(counts).toEqual([
          { id: "ranged-5", blocks: most, plannedBlocks: 86 },
          { id: "ranged-10", blocks: fewest, plannedBlocks: 9 },
        ]);
      });
    },
    timeout,
  );

  it(
    "goes on with undecided cells up to the last look",
    async () => {
      await withModule(source, async (url, folder) => {
        const { record } = await runBench(
          options(url, folder, {
            claims: [
              {
                // Nobody can decide it: its limit is what is there.
                id: "on-the-limit",
                metric: "absoluteCost",
                treatment: "stream",
                limit: 1e-6,
                of: { tokens: 5 },
              },
            ],
          }),
        );
        const counts = record.cells.map(({ id, processes }) => [id, processes?.length]);
        expect(counts).toEqual([
          ["tiny-5", 16],
          ["tiny-10", 8],
        ]);
        expect(record.plan?.looks.map(({ processes }) => processes)).toEqual([8, 12, 16]);
        expect(record.claims).toHaveLength(1);
      });
    },
    timeout,
  );

  it(
    "resumes: what is whole stays, and the rest is measured",
    async () => {
      await withModule(source, async (url, folder) => {
        const controller = new AbortController();
        const first = await runBench(
          options(url, folder, {
            signal: controller.signal,
            onProgress: ({ process, subject, phase }) => {
              if (process?.index === 2 && subject === "tiny-10" && phase === "measure") {
                controller.abort();
              }
            },
          }),
        );
        expect(first.record.status).toBe("interrupted");
        const before = parts(first.record);
        expect(before.map((cell) => cell.parts?.length)).toEqual([3, 3]);
        expect(before[1]?.parts?.[2]?.[1]).toBe("interrupted");

        const resumed = await runBench({ resume: folder, modules: [url], claims: [] });
        expect(resumed.record.runId).toBe(first.record.runId);
        expect(resumed.record).toMatchObject({ status: "complete", seed: 3 });
        expect(parts(resumed.record)).toEqual(whole);
        // The very same samples: nothing was measured twice.
        expect(resumed.record.cells[0]?.blocks.slice(0, 6)).toEqual(first.record.cells[0]?.blocks);

        await expect(runBench({ resume: folder, modules: [url] })).rejects.toMatchObject({
          code: "INVALID_OPTION",
          message: expect.stringContaining("complete: there is nothing to resume") as string,
        });
      });
    },
    timeout,
  );

  it(
    "ends, and says why, where its folder can no longer be written to",
    async () => {
      await withModule(source, async (url, folder) => {
        const out = join(folder, "out");
        const running = runBench(
          options(url, out, {
            onProgress: ({ process }) => {
              if (process?.index !== 1) return;
              rmSync(out, { recursive: true, force: true });
              writeFileSync(out, "a file, where the folder was");
            },
          }),
        );
        await expect(running).rejects.toThrow(out);
      });
    },
    timeout,
  );

  it("refuses what cannot cross to another process", async () => {
    const open = (): Promise<never> => Promise.reject(new Error("Nobody calls it."));
    await expect(runBench({ preset: "standard", openGenerator: open })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/openGenerator cannot cross.*"modules"/) as string,
    });
  });

  it(
    "ends with an error of its own when a process dies, and keeps what is done",
    async () => {
      const dying = source.replace("stepMicroseconds: 20", "stepMicroseconds: process.exit(7)");
      expect(dying).not.toBe(source);
      await withModule(dying, async (url, folder) => {
        await expect(runBench(options(url, folder))).rejects.toMatchObject({
          code: "PROCESS_FAILED",
          message: expect.stringMatching(/Process 0 .* code 7 .*--resume/) as string,
        });
        const record = JSON.parse(await readFile(join(folder, "record.json"), "utf8")) as object;
        expect(record).toMatchObject({ status: "interrupted" });
      });
    },
    timeout,
  );
});
