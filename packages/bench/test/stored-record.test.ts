import { cp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  isRecordPath,
  locateRecordFile,
  readRecordAsFarAsPossible,
  readRecordFile,
} from "../src/run/read-record.js";
import { RecordFile } from "../src/run/record-file.js";
import { InvalidRecordError, parseRecord, type ResultRecord } from "../src/record/index.js";
import { readRawSamples } from "../src/measure/raw-samples.js";
import { Journal } from "../src/run/journal.js";
import { readRunToResume } from "../src/run/resume.js";
import { verifyRecord, type Verification } from "../src/run/verify.js";
import { exampleRun, inTemporaryFolder, type ExampleRun } from "./example-record.js";
import { ManualClock } from "./fake-generator.js";
import { cellPlan } from "./plans.js";

let run: ExampleRun;
beforeAll(async () => {
  run = await exampleRun(cellPlan({ id: "first" }), cellPlan({ id: "second" }));
});

/** The run in a folder, as the bench leaves it. */
async function inFolderOfRun<T>(
  use: (folder: string, file: RecordFile) => Promise<T>,
  record: ResultRecord = run.record,
): Promise<T> {
  return await inTemporaryFolder(async (folder) => {
    const file = await RecordFile.create(folder);
    for (const [name, bytes] of run.files) await file.saveFile(name, bytes);
    await file.save(record);
    return await use(folder, file);
  });
}

/** More than a megabyte of it, and nothing that can be left out. */
function large(): ResultRecord {
  const definitions = Array.from({ length: 20_000 }, (_, index) => ({
    metric: `metric ${index}`,
    formula: "the sum of all that was measured",
  }));
  return { ...run.record, definitions };
}

async function verify(folder: string): Promise<Verification> {
  const { record, unrestored } = await readRecordAsFarAsPossible(folder);
  return await verifyRecord(record, (file) => readFile(join(folder, file)), unrestored.keys());
}

const second = join("raw", "second.bin.gz");

describe("a stored record", () => {
  it("has no block twice, and is read as it was written", async () => {
    await inFolderOfRun(async (folder) => {
      const text = await readFile(join(folder, "record.json"), "utf8");
      expect(text).not.toContain('"blocks":[');
      expect(await readRecordFile(folder)).toEqual(run.record);
      expect(await readRecordFile(join(folder, "record.json"))).toEqual(run.record);
      expect(() => parseRecord(JSON.parse(text))).toThrow(
        /blocks of the cell "first" .*`readRecordFile`/,
      );
    });
  });

  it("keeps the blocks of a cell without raw samples", async () => {
    const cells = run.record.cells.map((cell) => ({ ...cell, rawSamples: null }));
    await inFolderOfRun(
      async (folder) => {
        await rm(join(folder, "raw"), { recursive: true });
        expect((await readRecordFile(folder)).cells).toEqual(cells);
      },
      { ...run.record, cells },
    );
  });

  it("with its blocks in the file is read without raw samples, as older ones are", async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "record.json"), JSON.stringify(run.record));
      expect(await readRecordFile(folder)).toEqual(run.record);
    });
  });

  it("is compressed when it is large, always to the same bytes, and stays so", async () => {
    await inFolderOfRun(async (folder, file) => {
      expect(file.path).toBe(join(folder, "record.json"));
      await file.save(large());
      expect(file.path).toBe(join(folder, "record.json.gz"));
      expect((await readdir(folder)).toSorted()).toEqual(["raw", "record.json.gz"]);
      const bytes = await readFile(file.path);
      expect(bytes.length).toBeLessThan(500_000);
      await file.save(large());
      expect((await readFile(file.path)).equals(bytes)).toBe(true);
      // As a named file, its folder, or the file that it was before it grew.
      for (const path of [file.path, folder, join(folder, "record.json")]) {
        expect(await readRecordFile(path)).toEqual(large());
      }
      const resumed = await RecordFile.create(folder);
      await resumed.save(run.record);
      expect(resumed.path).toBe(file.path);
      expect(await readRecordFile(folder)).toEqual(run.record);
      expect((await verify(folder)).outcome).toBe("agrees");
    });
  });

  it("is the compressed one where a crash has left both", async () => {
    await inFolderOfRun(async (folder, file) => {
      await file.save(large());
      await writeFile(join(folder, "record.json"), JSON.stringify(run.record));
      expect(await readRecordFile(folder)).toEqual(large());
      expect(await readRecordFile(join(folder, "record.json"))).toEqual(run.record);
    });
  });

  it("is found by its name in any folder", async () => {
    expect(
      ["record.json", "a/record.json.gz", String.raw`b\record.json`].map(isRecordPath),
    ).toEqual([true, true, true]);
    expect(["my-record.json", "record.json.tmp", "raw/a.bin.gz"].map(isRecordPath)).toEqual([
      false,
      false,
      false,
    ]);
    expect(await locateRecordFile("nowhere")).toBe("nowhere");
    await expect(readRecordFile("nowhere")).rejects.toThrow(/^nowhere: there is no such file/);
  });
});

describe("a damaged stored record", () => {
  it(
    "is an error that names the file and the remedy, at whatever byte",
    { timeout: 60_000 },
    async () => {
      await inFolderOfRun(async (folder, file) => {
        await file.save(large());
        const bytes = await readFile(file.path);
        const damage = fc.oneof(
          fc.nat(bytes.length - 1).map((length) => bytes.subarray(0, length)),
          fc
            .tuple(fc.integer({ min: 10, max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }))
            .map(([index, mask]) => bytes.map((byte, at) => (at === index ? byte ^ mask : byte))),
        );
        await fc.assert(
          fc.asyncProperty(damage, async (damaged) => {
            await writeFile(file.path, damaged);
            const error = await readRecordFile(folder).catch((reason: unknown) => reason);
            expect(error).toBeInstanceOf(InvalidRecordError);
            expect((error as Error).message).toMatch(
              /record\.json\.gz: .*(intact copy|run the bench)/,
            );
          }),
          { numRuns: 40, seed: 5 },
        );
      });
    },
  );

  it("that unpacks to more than any record is refused", { timeout: 60_000 }, async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "record.json.gz"), gzipSync(Buffer.alloc(2 ** 28 + 1)));
      await expect(readRecordFile(folder)).rejects.toThrow(/does not unpack/);
    });
  });

  it.each([
    [
      "gone",
      () => undefined,
      /second\.bin\.gz beside the record.*cannot be read.*Copy the folder raw/,
    ],
    ["cut off", (bytes: Buffer) => bytes.subarray(0, -1), /second.bin.gz: the file has \d+ bytes/],
    [
      "altered",
      (bytes: Buffer) => bytes.map((byte, at) => (at === 50 ? byte ^ 1 : byte)),
      /SHA-256/,
    ],
  ])(
    "has raw samples that are %s: a typed error, and verify says which",
    async (_, change, message) => {
      await inFolderOfRun(async (folder) => {
        const changed = change(await readFile(join(folder, second)));
        await rm(join(folder, second));
        if (changed !== undefined) await writeFile(join(folder, second), changed);
        const error = await readRecordFile(folder).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(InvalidRecordError);
        expect((error as Error).message).toMatch(message);
        expect((error as Error).message).toMatch(/record\.json: /);
        const { outcome, cells, problems } = await verify(folder);
        expect(outcome).toBe("differs");
        expect(cells[0]).toMatchObject({ blockCount: 8, blocks: "agrees", hash: "agrees" });
        expect(cells[1]).toMatchObject({ blockCount: 8, blocks: "unchecked" });
        expect(problems.join("\n")).toContain("raw/second.bin.gz");
      });
    },
  );

  it("takes no samples of another cell, and reads no file outside of raw/", async () => {
    const [first, other] = run.record.cells as [ResultRecord["cells"][0], ResultRecord["cells"][0]];
    const swapped = { ...other, rawSamples: first.rawSamples! };
    await inFolderOfRun(
      async (folder) => {
        await expect(readRecordFile(folder)).rejects.toThrow(/origin.*"second".*"first"/);
      },
      { ...run.record, cells: [first, swapped] },
    );
    const outside = { ...other, rawSamples: { ...other.rawSamples!, file: "raw/../record.json" } };
    await inFolderOfRun(
      async (folder) => {
        await expect(readRecordFile(folder)).rejects.toThrow(/in raw\/ beside the record/);
      },
      { ...run.record, cells: [first, outside] },
    );
  });

  it("is told from one whose processes measured another number of blocks", async () => {
    const cells = run.record.cells.map((cell) => ({
      ...cell,
      processes: cell.processes.map((part) => ({ ...part, blocks: part.blocks + 1 })),
    }));
    await inFolderOfRun(
      async (folder) => {
        const { cells: verified, problems } = await verify(folder);
        expect(verified.map(({ blocks }) => blocks)).toEqual(["differs", "differs"]);
        expect(problems[0]).toMatch(/first: blocks of process 0 is 9 in the record and 8/);
      },
      { ...run.record, cells },
    );
  });
});

describe("a record that grows", () => {
  it("can be read whenever a crash comes, also while samples of a cell are replaced", async () => {
    await inTemporaryFolder(async (folder) => {
      const file = await RecordFile.create(join(folder, "run"));
      let copies = 0;
      const keep = async (): Promise<void> => {
        copies += 1;
        await cp(join(folder, "run"), join(folder, `copy-${copies}`), { recursive: true });
      };
      const watched = {
        save: async (record: ResultRecord) => {
          await file.save(record);
          await keep();
        },
        saveRawSamples: async (cell: string, bytes: Uint8Array) => {
          const reference = await file.saveRawSamples(cell, bytes);
          await keep();
          return reference;
        },
      } as unknown as RecordFile;
      const clock = new ManualClock();
      const { environment } = run.record;
      const journal = new Journal(
        {
          file: watched,
          clock,
          claims: [],
          watch: {
            environment,
            sample: () => Promise.resolve(),
            conclude: () => Promise.resolve(environment),
          },
        },
        // Version 3: each process here has the orders of the first.
        { ...run.record, version: 3, status: "running", cells: [], claims: [] },
        new Map(),
      );
      const { blocks } = await readRawSamples(run.files.get("raw/first.bin.gz")!);
      for (const process of [0, 1, 2]) {
        journal.cellBegun(cellPlan({ id: "first" }), process);
        for (const block of blocks) await journal.blockDone("first", { ...block, process });
        const warmUp = { blocksDropped: 0, steady: true };
        const part = { process, status: "complete", blocks: blocks.length, warmUp } as const;
        await journal.cellDone("first", { ...part, failure: null, promptTokens: 3 });
      }
      const seen: number[] = [];
      for (let copy = 1; copy <= copies; copy += 1) {
        const path = join(folder, `copy-${copy}`);
        // Before the first save there is no record.
        if (!(await readdir(path)).includes("record.json")) continue;
        seen.push((await readRecordFile(path)).cells[0]!.blocks.length);
        expect((await verify(path)).problems).toEqual([]);
      }
      expect(seen).toEqual(seen.toSorted((one, other) => one - other));
      expect(seen.at(-1)).toBe(24);
    });
  });
});

describe("a run to resume", () => {
  it("leaves out the cells whose samples are gone or altered, and keeps the others", async () => {
    const [first, other] = run.record.cells as [ResultRecord["cells"][0], ResultRecord["cells"][0]];
    const { environment } = run.record;
    for (const status of ["complete", "failed"] as const) {
      const record: ResultRecord = {
        ...run.record,
        status: "interrupted",
        cells: [first, { ...other, status, ...(status === "failed" && { processes: [] }) }],
      };
      await inFolderOfRun(async (folder) => {
        const kept = async (): Promise<string[]> => {
          const resumed = await readRunToResume(folder, environment);
          expect(resumed.rawBlocks.get("first")).toHaveLength(8);
          expect(resumed.record.cells[0]?.blocks).toEqual(first.blocks);
          return resumed.record.cells.map(({ id }) => id);
        };
        expect(await kept()).toEqual(["first", "second"]);
        const bytes = await readFile(join(folder, second));
        await writeFile(join(folder, second), bytes.subarray(1));
        expect(await kept()).toEqual(["first"]);
        await rm(join(folder, second));
        expect(await kept()).toEqual(["first"]);
      }, record);
    }
  });
});

it("derives from a file that another version of gzip has written", async () => {
  await inFolderOfRun(async (folder) => {
    const text = await readFile(join(folder, "record.json"));
    await rm(join(folder, "record.json"));
    await writeFile(join(folder, "record.json.gz"), gzipSync(text, { level: 9 }));
    expect(await readRecordFile(folder)).toEqual(run.record);
    expect(gunzipSync(await readFile(join(folder, "record.json.gz"))).equals(text)).toBe(true);
  });
});
