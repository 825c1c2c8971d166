import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { hashClaims, listClaims, readClaimList } from "../src/conclude/claim-list.js";
import { shippedClaimsFile } from "../src/conclude/claims-file.js";
import { concludeEngine } from "../src/conclude/engine-analysis.js";
import { judgeClaims } from "../src/conclude/claims.js";
import { renderVerification } from "../src/commands/verify-command.js";
import { LatencyHistogram } from "../src/measure/latency-histogram.js";
import { estimateCost } from "../src/profile/instrument-cost.js";
import {
  parseRecord,
  type ClaimList,
  type ProfileMeasurement,
  type ResultRecord,
} from "../src/record/index.js";
import { verifyRecord, type Verification } from "../src/run/verify.js";
import { exampleEngine } from "./example-engine.js";
import { exampleMode, withLoadsAndProfiles } from "./example-profiles.js";
import { exampleRun, inTemporaryFolder, replanned, type ExampleRun } from "./example-record.js";
import { cellPlan } from "./plans.js";

/*
 * What a record tells as a whole. In each of these every number follows from the raw samples, or
 * from other numbers of the record, that are there: it is what is missing or changed that shows.
 */

let run: ExampleRun;
beforeAll(async () => {
  run = await exampleRun(cellPlan({ id: "first" }), cellPlan({ id: "second", tokens: 20 }));
});

async function verify(record: ResultRecord, claims?: ClaimList): Promise<Verification> {
  return await verifyRecord(
    parseRecord(structuredClone(record)),
    (file) => Promise.resolve(run.files.get(file)!),
    [],
    claims,
  );
}

/** Judged by other claims, as a program would that has only changed the list. */
function judgedBy(record: ResultRecord, list: ClaimList): ResultRecord {
  return {
    ...record,
    claimList: list,
    claims: judgeClaims(list.claims, record.cells, record.plan.looks),
  };
}

/** What a record of version 3 lacks. */
function asOld({ claimList: _, plan, ...record }: ResultRecord): ResultRecord {
  const { cells: _cells, measurements: _measurements, added: _added, ...rest } = plan;
  return { ...record, version: 3, plan: rest };
}

describe("a record", () => {
  it("names its claims and all that was planned", () => {
    const { version, claimList, plan } = run.record;
    expect(version).toBe(4);
    expect(claimList).toMatchObject({ source: "shipped", file: "claims.json" });
    expect(claimList?.claims).toHaveLength(13);
    expect(claimList?.sha256).toBe(hashClaims(claimList!.claims));
    expect(plan.cells).toMatchObject([
      { id: "first", tokens: 10, blocks: 8, processes: 1 },
      { id: "second", tokens: 20, blocks: 8, processes: 1 },
    ]);
    expect(plan.measurements).toEqual([{ id: "fake main-thread-stream-10", promises: [] }]);
    expect(plan.added).toEqual([{ id: "fake main-thread-stream-10", entries: { mainThread: 1 } }]);
  });

  it("agrees with all of them", async () => {
    const verification = await verify(run.record);
    expect(verification).toMatchObject({
      outcome: "agrees",
      claims: "agrees",
      plan: "agrees",
      problems: [],
      notes: [],
    });
    const text = renderVerification(run.record, verification, { unicode: true, recordPath: "r" });
    expect(text).toContain("13 claims of claims.json, SHA-256");
    expect(text).toContain("Plan, all that was planned is there: ok");
    expect(text).toContain("Not checked: whether the raw samples are genuine");
  });

  it("of version 4 is damaged without them", () => {
    const { claimList: _, ...without } = run.record;
    expect(() => parseRecord(without)).toThrow(/"record\.claimList" must be there in a record of/);
    const { added: _added, ...plan } = run.record.plan;
    expect(() => parseRecord({ ...run.record, plan })).toThrow(
      /"record\.plan\.added" must be there/,
    );
  });

  it("from before it named its claims is read, and is told what is not checked of it", async () => {
    const old = asOld(run.record);
    const { outcome, claims, plan, notes } = await verify(old);
    expect({ outcome, claims, plan }).toEqual({
      outcome: "agrees",
      claims: "unchecked",
      plan: "unchecked",
    });
    expect(notes.join(" ")).toContain("made before records named their claims");
    expect(notes.join(" ")).toContain("made before records named all that was planned");
    const dropped = { ...old, claims: old.claims.slice(1) };
    expect((await verify(dropped)).outcome).toBe("agrees");
    const given = await verify(dropped, await readClaimList());
    expect(given.problems).toEqual([
      "Claim sync-under-5-percent is made for first, and the record has no verdict.",
    ]);
  });
});

describe("verifyRecord notices", () => {
  it("a limit by which claims are judged again, in the verdicts", async () => {
    const lenient = run.record.claimList!.claims.map((claim) => ({ ...claim, limit: 0.5 }));
    const { claims } = judgedBy(run.record, listClaims(lenient));
    const { outcome, claims: agreement, problems } = await verify({ ...run.record, claims });
    expect([outcome, agreement]).toEqual(["differs", "differs"]);
    expect(problems).toContain(
      "Claim async-under-10-percent is judged for first by the limit 0.5, and the claims say 0.1.",
    );
  });

  it("a limit by which claims are judged again, in the list too", async () => {
    const { claimList } = run.record;
    const claims = claimList!.claims.map((claim) => ({ ...claim, limit: 0.5 }));
    const kept = await verify(judgedBy(run.record, { ...claimList!, claims }));
    expect(kept.problems[0]).toMatch(/^The SHA-256 of the record's claims is [0-9a-f]{64}, and/);
    const hashed = { ...claimList!, claims, sha256: hashClaims(claims) };
    const { outcome, problems } = await verify(judgedBy(run.record, hashed));
    expect(outcome).toBe("differs");
    expect(problems[0]).toBe(
      "Claim sync-under-5-percent: its limit is 0.5 in the record and 0.05 in the shipped claims.json.",
    );
  });

  it("a claim that was dropped, from the verdicts or from the list", async () => {
    const isKept = ({ id }: { readonly id: string }) => id !== "async-under-10-percent";
    const claims = run.record.claims.filter(isKept);
    expect((await verify({ ...run.record, claims })).problems).toEqual([
      "Claim async-under-10-percent is made for first, and the record has no verdict.",
      "Claim async-under-10-percent is made for second, and the record has no verdict.",
    ]);
    const listed = run.record.claimList!.claims.filter(isKept);
    const list = { ...run.record.claimList!, claims: listed, sha256: hashClaims(listed) };
    expect((await verify(judgedBy(run.record, list))).problems[0]).toBe(
      "Claim async-under-10-percent is in the shipped claims.json and not in the record.",
    );
  });

  it("a claim that is judged twice, or that nobody made", async () => {
    const [first] = run.record.claims;
    const twice = await verify({ ...run.record, claims: [...run.record.claims, first!] });
    expect(twice.problems).toEqual(["Claim sync-under-5-percent is judged twice for first."]);
    const renamed = { ...first!, id: "own" };
    const more = await verify({ ...run.record, claims: [...run.record.claims, renamed] });
    expect(more.problems).toEqual([
      "Claim own is judged for first, for which no claim of that name is made.",
    ]);
  });

  it("a cell that was dropped with its file and its verdicts", async () => {
    const isKept = (id: string) => id !== "second";
    const record: ResultRecord = {
      ...run.record,
      cells: run.record.cells.filter(({ id }) => isKept(id)),
      claims: run.record.claims.filter(({ cell }) => isKept(cell)),
    };
    const { outcome, plan, problems } = await verify(record);
    expect([outcome, plan]).toEqual(["differs", "differs"]);
    expect(problems).toEqual(["It lacks the cell second, which was planned."]);
    const interrupted = await verify({ ...record, status: "interrupted" });
    expect(interrupted).toMatchObject({
      outcome: "agrees",
      notes: ["The run is interrupted, and these are missing: the cell second."],
    });
  });

  it("that all cells were dropped", async () => {
    const { outcome } = await verify({ ...run.record, cells: [], claims: [] });
    expect(outcome).toBe("differs");
  });

  it("a cell that was renamed into one for which nothing is claimed, or that nobody planned", async () => {
    const cells = run.record.cells.map((cell) =>
      cell.id === "second" ? { ...cell, scenario: "other" } : cell,
    );
    const claims = run.record.claims.filter(({ cell }) => cell === "first");
    expect((await verify({ ...run.record, cells, claims })).problems).toEqual([
      'second.scenario is "other" in the record and "model" by its plan.',
    ]);
    const unplanned = { ...run.record.plan, cells: run.record.plan.cells!.slice(1) };
    expect((await verify({ ...run.record, plan: unplanned })).problems).toEqual([
      "first is in the record, and was not planned.",
    ]);
  });

  it("a measurement that was dropped, or its entry", async () => {
    expect((await verify({ ...run.record, mainThread: [] })).problems).toEqual([
      "The measurements added 1 to mainThread, and 0 are there.",
    ]);
    const plan = { ...run.record.plan, measured: [], added: [] };
    expect((await verify({ ...run.record, mainThread: [], plan })).problems).toEqual([
      "It lacks the measurement fake main-thread-stream-10, which was planned.",
    ]);
  });

  it("a process that was dropped, and a cell that went on past its looks", async () => {
    const plan = {
      ...run.record.plan,
      cells: run.record.plan.cells!.map((cell) => ({ ...cell, processes: 2 })),
    };
    const claims = run.record.claims.map((claim) => ({ ...claim, verdict: "void" as const }));
    expect((await verify({ ...run.record, plan, claims })).problems).toContain(
      "first ends at 1 of 2 processes, where claim sync-under-5-percent is void.",
    );
    const later = { ...plan, looks: [{ processes: 2, tail: 0.05 }] };
    expect((await verify({ ...run.record, plan: later })).problems).toContain(
      "first was measured by 1 of the processes, and looks were planned at 2.",
    );
  });

  it("a level of a look that spends more than 5 %", async () => {
    const plan = { ...run.record.plan, looks: [{ processes: 1, tail: 0.2 }] };
    const { plan: agreement, problems } = await verify({ ...run.record, plan });
    expect(agreement).toBe("differs");
    expect(problems.join(" ")).toContain("The plan's looks: it[0].tail is 0.2");
  });

  it("another seed, by the order of the runs", async () => {
    const { problems } = await verify({ ...run.record, seed: 2 });
    expect(problems[0]).toMatch(
      /^first: the runs of block \d come in another order than the seed 2/,
    );
  });

  it("what a profile costs, and a latency of it", async () => {
    const runs = {
      off: [10, 11, 12, 13, 14, 15].map((value) => value * 1e6),
      offAgain: [11, 11, 12, 13, 14, 14].map((value) => value * 1e6),
      on: [12, 13, 14, 15, 16, 17].map((value) => value * 1e6),
    };
    const histogram = new LatencyHistogram();
    for (const value of [100, 5000, 70_000]) histogram.add(value);
    const profile: ProfileMeasurement = {
      ...exampleMode,
      cost: estimateCost(runs, exampleMode.tokens),
      files: [],
      generations: 6,
      findings: { kind: "ledger", stages: [], residual: histogram.summarize() },
    };
    const record = replanned({ ...run.record, profiles: [profile] });
    expect(await verify(record)).toMatchObject({
      outcome: "agrees",
      profiles: "agrees",
      others: "agrees",
    });
    const edit = (change: (profile: ProfileMeasurement) => unknown): ResultRecord => {
      const copy = structuredClone(record);
      change(copy.profiles![0]!);
      return copy;
    };
    const cheaper = edit(({ cost }) => {
      (cost.overhead!.mean as { value: number }).value *= 0.5;
    });
    const cost = await verify(cheaper);
    expect([cost.outcome, cost.profiles]).toEqual(["differs", "differs"]);
    expect(cost.problems[0]).toMatch(/^The ledger profile of fake, stream, its cost: it\.overhead/);
    const without = edit(({ cost: own }) => delete (own as { runs?: unknown }).runs);
    expect((await verify(without)).problems[0]).toContain("has no runs that its cost follows from");
    for (const field of ["p50Nanoseconds", "maximumNanoseconds", "meanNanoseconds", "count"]) {
      const faster = edit(({ findings }) => {
        if (findings.kind !== "ledger") return;
        (findings.residual as unknown as Record<string, number>)[field]! *= 0.5;
      });
      const { others, problems } = await verify(faster);
      expect([field, others]).toEqual([field, "differs"]);
      expect(problems[0]).toMatch(/^profiles\[0\]\.findings\.residual\..* by its histogram\.$/);
    }
  });

  it("what follows from loads and split streams", async () => {
    const record = replanned({ ...withLoadsAndProfiles(run.record), profiles: [] });
    const [split] = record.tee!;
    const tee = [
      {
        ...split!,
        ways: split!.ways.map((way) => ({ ...way, cpuMicrosecondsPerToken: 1 })),
      },
    ];
    const { others, problems, notes } = await verify({ ...record, tee });
    expect(others).toBe("differs");
    expect(problems.join(" ")).toMatch(/tee, fake: it\[0\]\.cpuMicrosecondsPerToken is 1 in/);
    expect(problems.join(" ")).toMatch(/arrivals\[0\]: it\.completionsPerSecond is 34\.5 in/);
    expect(notes.join(" ")).toContain("latencies have no histogram");
  });

  it("a promise of the engine that was weakened and judged again", async () => {
    const engine = exampleEngine.map((measurement) => concludeEngine(measurement));
    const record = replanned({ ...run.record, engine });
    const weaker = record.engine!.map((measurement) =>
      concludeEngine({
        ...measurement,
        claims: measurement.claims.map((claim) => ({ ...claim, limit: 2 * claim.limit })),
      }),
    );
    const { plan, problems } = await verify({ ...record, engine: weaker });
    expect(plan).toBe("differs");
    expect(problems.join(" ")).toMatch(
      /engine 1: .* is below 0\.5 was promised, and is not judged/,
    );
    expect(problems.join(" ")).toMatch(/engine 1: .* is below 1 is judged, and was not promised/);
  });

  it("a file of claims that was changed since the run", async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "own-claims.json");
      const { claims } = await readClaimList(shippedClaimsFile);
      const write = async (list: readonly unknown[]): Promise<void> =>
        await writeFile(path, JSON.stringify({ claims: list }));
      await write(claims);
      const list = await readClaimList(path);
      expect(list).toMatchObject({ source: "file", file: "own-claims.json" });
      const record = judgedBy(run.record, list);
      expect(await verify(record, await readClaimList(path))).toMatchObject({ outcome: "agrees" });
      const alone = await verify(record);
      expect(alone).toMatchObject({ outcome: "agrees", claims: "agrees" });
      expect(alone.notes).toEqual([
        "To compare the record's claims with the file own-claims.json, give it with --claims.",
      ]);
      await write([
        { ...claims[0], limit: 0.2 },
        { ...claims[1], id: "other" },
        ...claims.slice(2),
      ]);
      const changed = await verify(record, await readClaimList(path));
      expect([changed.outcome, changed.claims]).toEqual(["differs", "differs"]);
      expect(changed.problems).toEqual([
        "Claim async-under-10-percent is in the record and not in the file own-claims.json.",
        "Claim sync-under-5-percent: its limit is 0.05 in the record and 0.2 in the file own-claims.json.",
        "Claim other is in the file own-claims.json and not in the record.",
        expect.stringContaining("give the one of the run with --claims"),
      ]);
    });
  });
});
