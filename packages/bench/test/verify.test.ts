import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { RawSamplesWriter, readRawSamples, type RawBlock } from "../src/measure/raw-samples.js";
import { sha256 } from "../src/run/record-file.js";
import { parseRecord, type Cell, type ResultRecord } from "../src/record/index.js";
import { verifyRecord, type Verification } from "../src/run/verify.js";
import { renderVerification } from "../src/commands/verify-command.js";
import { concludeEngine } from "../src/conclude/engine-analysis.js";
import { concludeTransports } from "../src/conclude/transport-analysis.js";
import { exampleRun, replanned, type ExampleRun } from "./example-record.js";
import { exampleEngine } from "./example-engine.js";
import { exampleTransports } from "./example-transports.js";
import { cellPlan } from "./plans.js";

let run: ExampleRun;
beforeAll(async () => {
  run = await exampleRun(cellPlan({ id: "first" }), cellPlan({ id: "second" }));
});

async function verify(record: ResultRecord, files = run.files): Promise<Verification> {
  return await verifyRecord(record, (file) => {
    const bytes = files.get(file);
    if (bytes !== undefined) return Promise.resolve(bytes);
    return Promise.reject(Object.assign(new Error(`no such file ${file}`), { syscall: "open" }));
  });
}

/** The record, as it comes from a file, with its second cell changed. */
function withSecond(change: (cell: Cell) => Partial<Cell>): ResultRecord {
  const record = parseRecord(JSON.parse(JSON.stringify(run.record)));
  const cells = record.cells.map((cell) =>
    cell.id === "second" ? { ...cell, ...change(cell) } : cell,
  );
  return { ...record, cells };
}

/** Other samples of the second cell, under a hash that is right. */
async function withSamples(
  blocks: readonly RawBlock[],
  identity = { runId: run.record.runId, cell: "second" },
): Promise<Verification> {
  const writer = new RawSamplesWriter(identity);
  for (const block of blocks) writer.add(block);
  const bytes = await writer.finish();
  const file = "raw/second.bin.gz";
  const rawSamples = { file, byteLength: bytes.byteLength, sha256: sha256(bytes) };
  const files = new Map([...run.files, [file, bytes]]);
  return await verify(
    withSecond(() => ({ rawSamples })),
    files,
  );
}

async function secondBlocks(): Promise<readonly RawBlock[]> {
  return (await readRawSamples(run.files.get("raw/second.bin.gz")!)).blocks;
}

/** Every number that the raw samples decide, as a path into the record. */
function numberPaths(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value === "number") return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numberPaths(inner, [...path, key]));
}

function editNumber(record: ResultRecord, path: readonly string[]): ResultRecord {
  const copy = structuredClone(record);
  let holder = copy as unknown as Record<string, unknown>;
  for (const key of path.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  const key = path.at(-1)!;
  const number = holder[key] as number;
  holder[key] = Number.isInteger(number)
    ? number + 1
    : number + Math.max(1e-9, Math.abs(number) * 1e-6);
  return copy;
}

/** What a crash makes of a cell. */
function leaveRunning(): Partial<Cell> {
  return { status: "running", rawSamples: null, distributions: [], analysis: null };
}

const plain = { unicode: false, recordPath: "results/record.json" };

describe("verifyRecord", () => {
  it("agrees with a fresh run, and with its trip through JSON", async () => {
    for (const record of [run.record, withSecond(() => ({}))]) {
      const { outcome, cells, problems } = await verify(record);
      expect({ outcome, problems }).toEqual({ outcome: "agrees", problems: [] });
      expect(cells[1]).toEqual({
        cell: "second",
        file: "raw/second.bin.gz",
        blockCount: 8,
        hash: "agrees",
        blocks: "agrees",
        distributions: "agrees",
        analysis: "agrees",
        verdicts: "agrees",
        problems: [],
      });
    }
  });

  it("notices any byte of a raw file that is another", async () => {
    const file = "raw/second.bin.gz";
    const bytes = run.files.get(file)!;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, bits) => {
          const altered = Uint8Array.from(bytes);
          altered[at]! ^= bits;
          const { outcome, cells, problems } = await verify(
            run.record,
            new Map([...run.files, [file, altered]]),
          );
          expect(outcome).toBe("differs");
          expect(cells.map(({ hash }) => hash)).toEqual(["agrees", "differs"]);
          expect(problems[0]).toMatch(
            /^raw\/second\.bin\.gz: the file's SHA-256 is [0-9a-f]{64}, and/,
          );
        },
      ),
      { seed: 1, numRuns: 40 },
    );
  });

  it("notices any number of a cell or a verdict that was edited", async () => {
    const { cells, claims } = run.record;
    const paths = [
      ...cells.flatMap(({ blocks, distributions, analysis }, index) =>
        numberPaths({ blocks, distributions, analysis }, ["cells", String(index)]),
      ),
      ...claims.flatMap((claim, index) => numberPaths(claim, ["claims", String(index)])),
    ];
    expect(paths.length).toBeGreaterThan(500);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), async (path) => {
        const { outcome, cells: verified } = await verify(editNumber(run.record, path));
        expect(outcome).toBe("differs");
        expect(verified.every(({ hash }) => hash === "agrees")).toBe(true);
      }),
      { seed: 1, numRuns: 60 },
    );
  });

  it("names the cell and the field that was edited", async () => {
    const record = editNumber(run.record, "cells.1.blocks.3.runs.0.endToEndNanoseconds".split("."));
    const { cells, problems } = await verify(record);
    expect(problems).toEqual([
      expect.stringMatching(
        /^second: blocks\[3\]\.runs\[0\]\.endToEndNanoseconds is \d+ in the record and \d+ from the raw samples\.$/,
      ),
    ]);
    expect(cells[1]).toMatchObject({ blocks: "differs", analysis: "agrees", verdicts: "agrees" });
  });

  it("notices a verdict that was edited", async () => {
    const claims = run.record.claims.map((claim) => ({ ...claim, verdict: "upheld" as const }));
    const { problems } = await verify({ ...run.record, claims });
    expect(problems[0]).toMatch(
      /verdict is "upheld" in the record and "inconclusive" from the raw/,
    );
  });

  it("notices blocks that were removed from the record", async () => {
    const { problems } = await verify(withSecond(({ blocks }) => ({ blocks: blocks.slice(1) })));
    expect(problems[0]).toMatch(/^second: blocks\[0\]\.index is 1 in the record and 0 from/);
  });

  it("notices samples that were edited, even under the right hash", async () => {
    const [first, ...rest] = await secondBlocks();
    const runs = first!.runs.map((raw) => ({
      ...raw,
      endToEndNanoseconds: raw.endToEndNanoseconds - 1,
    }));
    const { cells } = await withSamples([{ ...first!, runs }, ...rest]);
    expect(cells[1]).toMatchObject({ hash: "agrees", blocks: "differs" });
  });

  it("notices samples of another cell, and of another run", async () => {
    const blocks = await secondBlocks();
    const otherCell = await withSamples(blocks, { runId: run.record.runId, cell: "first" });
    expect(otherCell.problems).toEqual([
      'raw/second.bin.gz: the origin.cell is "second" in the record and "first" from the raw samples.',
    ]);
    const otherRun = await withSamples(blocks, { runId: "other", cell: "second" });
    expect(otherRun.problems[0]).toMatch(/the origin\.runId is/);
  });

  it("notices another number of tokens", async () => {
    const { problems } = await verify(withSecond(() => ({ tokens: 20 })));
    expect(problems[0]).toBe(
      "raw/second.bin.gz: a run delivered 10 tokens, and the record says 20.",
    );
  });

  it("reports samples that make no block", async () => {
    const [first, ...rest] = await secondBlocks();
    const { problems } = await withSamples([{ ...first!, runs: first!.runs.slice(1) }, ...rest]);
    expect(problems[0]).toMatch(/^raw\/second\.bin\.gz: Block 0 has no run of/);
  });

  it("reports a file that is missing or elsewhere, and goes on", async () => {
    const missing = await verify(run.record, new Map([...run.files].slice(0, 1)));
    expect(missing.problems).toEqual(["raw/second.bin.gz: no such file raw/second.bin.gz."]);
    expect(missing.cells.map(({ hash }) => hash)).toEqual(["agrees", "unchecked"]);
    for (const file of ["../secret", "/etc/passwd", "raw/../../x", String.raw`raw\..\x`]) {
      const record = withSecond(({ rawSamples }) => ({ rawSamples: { ...rawSamples!, file } }));
      expect((await verify(record)).problems[0]).toMatch(/beside the record, and nowhere else/);
    }
  });

  it("does not take blocks without raw samples for verified", async () => {
    const { outcome, problems } = await verify(withSecond(() => ({ rawSamples: null })));
    expect(outcome).toBe("differs");
    expect(problems).toEqual(["second: 8 blocks, and no raw samples are named."]);
  });

  it("passes over the cell that was running when a run crashed", async () => {
    const crashed = withSecond(leaveRunning);
    const { outcome, cells } = await verify({ ...crashed, status: "running", claims: [] });
    expect(outcome).toBe("agrees");
    expect(cells[1]).toMatchObject({ file: null, hash: "unchecked", blocks: "unchecked" });
  });

  it("agrees with a failed cell that has no block", async () => {
    const failed = withSecond(() => ({
      status: "failed",
      failure: { code: "ENGINE_FAILED", message: "It broke." },
      blocks: [],
      distributions: [],
      analysis: null,
      rawSamples: null,
    }));
    const claims = failed.claims.map((claim) =>
      claim.cell === "first"
        ? claim
        : {
            ...claim,
            verdict: "void" as const,
            reasons: ["It broke."],
            control: null,
            breakEvenMicrosecondsPerToken: null,
          },
    );
    expect(await verify({ ...failed, claims })).toMatchObject({ outcome: "agrees" });
  });

  it("derives what is concluded of transports from their blocks", async () => {
    const transports = exampleTransports.map((measurement) => concludeTransports(measurement));
    const agreeing = { outcome: "agrees", transports: "agrees" };
    expect(await verify(replanned({ ...run.record, transports }))).toMatchObject(agreeing);
    const record = replanned({ ...run.record, transports, cells: [], claims: [] });
    expect(await verify(record)).toMatchObject(agreeing);
    const concluded = numberPaths(transports, ["transports"]).filter((path) =>
      path.some((key) => /^(cpu|throughput|added)/.test(key) && !path.includes("blocks")),
    );
    expect(concluded.length).toBeGreaterThan(20);
    for (const path of concluded) {
      const other = await verify(editNumber(record, path));
      expect([path, other.outcome, other.transports]).toEqual([path, "differs", "differs"]);
    }
    const [first] = transports;
    const [claim] = first!.claims;
    const lenient = { ...first!, claims: [{ ...claim!, verdict: "upheld" as const }] };
    const verification = await verify({ ...record, transports: [lenient] });
    expect(verification.problems.join(" ")).toContain(
      "transports, 20000 tokens in a burst: it.claims[0].verdict is",
    );
    const shown = renderVerification(record, verification, { unicode: true, recordPath: "r" });
    expect(shown).toContain("Transports, from the blocks in the record: DIFFERS");
  });

  it("derives what is concluded of the engine from its blocks", async () => {
    const engine = exampleEngine.map((measurement) => concludeEngine(measurement));
    const agreeing = { outcome: "agrees", engine: "agrees" };
    const record = replanned({ ...run.record, engine, cells: [], claims: [] });
    expect(await verify(record)).toMatchObject(agreeing);
    const concluded = numberPaths(engine, ["engine"]).filter((path) =>
      path.some((key) => /^(tokensPerSecond|ratio|smallest|largest)/.test(key)),
    );
    expect(concluded.length).toBeGreaterThan(20);
    for (const path of concluded) {
      const other = await verify(editNumber(record, path));
      expect([path, other.outcome, other.engine]).toEqual([path, "differs", "differs"]);
    }
    const [, memory] = engine;
    const [claim] = memory!.claims;
    const lenient = { ...memory!, claims: [{ ...claim!, verdict: "upheld" as const }] };
    const verification = await verify({ ...record, engine: [lenient] });
    expect(verification.problems.join(" ")).toContain(
      "engine, peak-memory-fp32-4096: it.claims[0].verdict is",
    );
    const shown = renderVerification(record, verification, { unicode: true, recordPath: "r" });
    expect(shown).toContain("Engine, from the blocks in the record: DIFFERS");
  });

  it("finds nothing where no cell names raw samples", async () => {
    const cells = run.record.cells.map((cell) => ({ ...cell, rawSamples: null }));
    expect(await verify({ ...run.record, cells })).toMatchObject({ outcome: "nothing" });
  });

  it("notices a claim about a cell that is not there", async () => {
    const claims = run.record.claims.map((claim) => ({ ...claim, cell: "third" }));
    const { problems } = await verify({ ...run.record, claims });
    expect(problems[0]).toMatch(/about third, and the record has no such cell/);
  });
});

describe("renderVerification", () => {
  it("has a row for each cell, what is wrong, and the answer", async () => {
    const edited = editNumber(run.record, ["cells", "1", "blocks", "0", "index"]);
    const text = renderVerification(edited, await verify(edited), plain);
    expect(text).toMatch(/first +\| raw\/first\.bin\.gz +\| ok +\| 8 ok +\| ok +\| ok +\| ok/);
    expect(text).toMatch(/second +\| raw\/second\.bin\.gz +\| ok +\| 8 DIFFERS +\| ok +\| ok/);
    expect(text).toContain(
      "second: blocks[0].index is 1 in the record and 0 from the raw samples.",
    );
    expect(text).toMatch(
      /record\.json differs from its raw samples, its claims or its plan: do not/,
    );
  });

  it("says which cell a crash has left unverified", async () => {
    const crashed: ResultRecord = { ...withSecond(leaveRunning), status: "running", claims: [] };
    const text = renderVerification(crashed, await verify(crashed), plain);
    expect(text).toContain("second was running when the run ended, and has no raw samples.");
    expect(text).toContain("record.json agrees with its raw samples.");
  });
});
