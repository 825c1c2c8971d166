import { describe, expect, it } from "vitest";
import { definitions } from "../src/record/definitions.js";
import { parseRecord, type Cell, type ResultRecord } from "../src/record/index.js";
import { renderSummary } from "../src/terminal/summary.js";
import { estimatesOf, withLoadsAndProfiles } from "./example-profiles.js";
import { decidedRecord, exampleRecord } from "./example-record.js";
import { exampleEngine } from "./example-engine.js";
import { exampleTransports } from "./example-transports.js";

const plain = { color: false, unicode: false, recordPath: "results/record.json" };

/** The record with its only cell changed. */
async function recordWithCell(change: (cell: Cell) => Partial<Cell>): Promise<ResultRecord> {
  const record = await exampleRecord();
  return { ...record, cells: record.cells.map((cell) => ({ ...cell, ...change(cell) })) };
}

/** With something of everything. */
async function fullRecord(): Promise<ResultRecord> {
  return {
    ...withLoadsAndProfiles(await exampleRecord()),
    transports: exampleTransports,
    engine: exampleEngine,
  };
}

describe("renderSummary", () => {
  it("shows the engine against others, with each promise and its verdict", async () => {
    const text = renderSummary(await fullRecord(), plain);
    expect(text).toContain("8 streams in one worker, fp32 (6 blocks):");
    expect(text).toMatch(/at once +\| 4\.00 +\| 250 +\| 32\.00 ms +\| 41\.00 ms +\| 0\.200 \[/);
    expect(text).toMatch(/limit < 0\.222 \(at least 4\.5 times the tokens\/s\): upheld\.\n/);
    expect(text).toContain("Peak memory, fp32, 4096 tokens of context (1 block):");
    expect(text).toMatch(
      /: 0\.520 to 0\.520; limit < 0\.500 \(at most half the memory\): refuted\. Any/,
    );
  });

  it("puts verdicts first and ends with where the record is", async () => {
    const text = renderSummary(await decidedRecord(), plain);
    expect(text).toMatch(
      /fake +\| sync stream +\| 10 +\| 0\.0 % +\| 0\.0 to 0\.0 % +\| 64 +\| 8 \(means\) +\| < 5 % +\| upheld/,
    );
    expect(text).toMatch(/async stream +\| 10 +\| 20\.0 % .*\| < 10 % +\| refuted/);
    expect(text).toMatch(/fake-10, async stream: refuted\. .*the limit is 10\.00 %/);
    expect(text).toMatch(/tokens\/s .*\| control .*\| blocks/);
    expect(text).toContain("0.0 % [0.0, 0.0]");
    expect(text).toMatch(/fake +\| inline +\| sync stream +\| [\d.]+ % +\| 10000 +\| \d+ of 0 /);
    expect(text.trimEnd().endsWith("Record: results/record.json")).toBe(true);
    expect(text.indexOf("upheld")).toBeLessThan(text.indexOf("Absolute cost"));
    expect(text.indexOf("Absolute cost")).toBeLessThan(text.indexOf("The main thread"));
  });

  it("is plain ASCII where nothing says otherwise", async () => {
    const text = renderSummary(await fullRecord(), plain);
    expect(text).toMatch(/^[\n -~]*$/);
    expect(text).toContain("us per token");
    expect(text).not.toContain("?");
    const lines = text.split("\n");
    const ragged = lines.filter((line, index) => {
      const above = lines[index - 1] ?? "";
      return line.startsWith("|") && /^[|+]/.test(above) && above.length !== line.length;
    });
    expect(ragged).toEqual([]);
  });

  it("colours verdicts only when asked", async () => {
    const text = renderSummary(await decidedRecord(), { ...plain, color: true, unicode: true });
    expect(text).toContain("\u001B[32mupheld");
    expect(text).toContain("\u001B[31mrefuted");
    expect(text).toContain("µs per token");
  });

  it("has no column for what does not vary", async () => {
    const text = renderSummary(await exampleRecord(), plain);
    expect(text).toMatch(
      /\| model +\| mode +\| tokens +\| overhead +\| 95 % interval +\| blocks +\| processes +\| limit +\| verdict +\|/,
    );
    expect(text).toMatch(/\| model +\| host +\| tokens +\| tokens\/s +\| sync stream +\|/);
    expect(text).toMatch(/\| 8 +\| in this one +\| < 5 % +\| inconclusive/);
    for (const absent of ["variant", " look ", "callback", "Arrivals", "B/token"]) {
      expect(text).not.toContain(absent);
    }
  });

  it("tells variants apart, and shows the callback's time beside the cost", async () => {
    const text = renderSummary(
      await recordWithCell(({ analysis }) => ({
        workload: "json",
        analysis: {
          comparisons: analysis!.comparisons,
          treatments: analysis!.treatments.map((summary) =>
            summary.treatment === "stream"
              ? { ...summary, callbackMicrosecondsPerToken: 1.26 }
              : summary,
          ),
        },
      })),
      plain,
    );
    expect(text).toMatch(/\| fake +\| json callback +\| sync stream +\| 10 /);
    expect(text).toContain("callback: time in your code, sync / async:");
    expect(text).toMatch(/\| fake +\| json callback +\| inline +\| 10 .*\| 1\.3 \/ - +\|/);
  });

  it("says how many processes there were, what is a sample and which look decided", async () => {
    const levels = {
      control: "blocks",
      stream: "processes",
      streamAsync: "too few processes",
    } as const;
    const record = await recordWithCell(({ analysis }) => ({
      analysis: {
        treatments: analysis!.treatments,
        comparisons: analysis!.comparisons.map((comparison) => ({
          ...comparison,
          processes: 6,
          level: levels[comparison.treatment],
        })),
      },
    }));
    const looks = [
      { processes: 3, tail: 0.02 },
      { processes: 6, tail: 0.04 },
    ];
    const text = renderSummary(
      {
        ...record,
        plan: { ...record.plan, looks },
        claims: record.claims.map((claim) =>
          claim.treatment === "stream" ? { ...claim, look: looks[1]! } : { ...claim, look: null },
        ),
      },
      plain,
    );
    expect(text).toMatch(/sync stream .*\| 8 +\| 6 \(means\) +\| 2 of 2 +\| < 5 %/);
    expect(text).toMatch(/async stream .*\| 6 \(too few\) +\| none +\| < 10 %/);
    expect(text).toMatch(/tokens\/s .*\n.*\n.*\| 6 \(means, too few\) +\|/);
    expect(text).toContain("Too few processes, fake-10: ");
  });

  it("shows a claim of no difference with its 90 % interval", async () => {
    const record = await decidedRecord();
    const [claim] = record.claims;
    const difference = {
      ...claim!,
      metric: "difference" as const,
      treatment: "control" as const,
      limit: 0.0125,
    };
    const text = renderSummary({ ...record, claims: [difference] }, plain);
    expect(text).toContain("| 90 % interval");
    expect(text).toMatch(
      /generate again +\| 10 +\| 0\.00 % +\| 0\.00 to 0\.00 % +\| 64 +\| 8 \(means\) +\| \+\/- 1\.25 % +\| upheld/,
    );
  });

  it("shows what was recovered of known delays, net of what streaming costs", async () => {
    const record = await exampleRecord();
    const point = {
      cell: "fake-10",
      treatment: "stream" as const,
      injectedFraction: 0.03,
      overhead: estimatesOf(0.06, 0.005),
      net: estimatesOf(0.031, 0.006),
      recovered: true,
      limit: 0.05,
      blocksPerExperiment: 60,
      verdicts: { upheld: 3, refuted: 0, inconclusive: 0, void: 0 },
    };
    const text = renderSummary({ ...record, calibration: [point] }, plain);
    expect(text).toContain("net mean [95 %]");
    expect(text).toMatch(/\| 3\.0 % +\| sync stream +\| 3\.1 % \[2\.5, 3\.7\] /);
  });

  it("shows loads: with the waiting and without, aborts and slow consumers", async () => {
    const text = renderSummary(await fullRecord(), plain);
    expect(text).toMatch(
      /\| 0\.70 of 2 +\| 35\.0 \/ 34\.5 +\| 12\.0 \/ 95\.0 +\| 61\.0 \/ 240\.0 +\| 41\.0 \/ 52\.0 +\|/,
    );
    expect(text).toMatch(/\| 38 \+ 2 +\| 850\.0 us +\| 1\.90 ms +\| 3\.80 ms +\| 41 +\| 3 +\|/);
    expect(text).toMatch(/\| 2000 +\| 16 +\| 1\.020 +\| 17 +\| 30\.00 ms +\| 34\.00 ms +\| 2 +\|/);
  });

  it("shows what each way between threads costs, and what became of its claims", async () => {
    const text = renderSummary(await fullRecord(), plain);
    expect(text).toContain("Between threads, 20000 tokens in a burst (20 blocks;");
    const rows = [
      /ring +\| yes +\| 0\.30 +\| 0\.250 +\| 5400000 +\| 1\.3 us +\| 177\.0 us +\| 0\.129 \[0\.117, 0\.141\] +\| - +\|/,
      /postMessage +\| no +\| 2\.50 +\| 2\.36 +\| 568075 +\| 7\.03 ms +\| 20\.89 ms +\| - +\| 7\.73 +\|/,
      /none +\| - +\| 0\.06 +\| - +\| 16000000 +\| - +\| - +\| - +\| - +\|/,
      /ring 1, batch 1 +\| 41\.20 +\| 24272 +\| 412\.0 us +\| 4\.12 ms +\| 100 \[100, 100\] +\|/,
    ];
    for (const row of rows) expect(text).toMatch(row);
    expect(text).toContain("1000 tokens, 100 us of sleep before each (22 blocks;");
    expect(text).toContain(
      "CPU of ring / CPU of postMessage: 0.129 [0.117, 0.141]; limit < 0.2: void. Noise: it is loud.",
    );
  });

  it("shows a profile of each kind, with its cost and its files", async () => {
    const text = renderSummary(await fullRecord(), plain);
    const rows = [
      /main +\| 21\.5 +\| 420 +\| ring 61 %, adapter 39 % +\|/,
      /main +\| poll \(ring\/consumer\.js:52\) +\| 9\.2 +\| 42\.8 % +\|/,
      /main +\| 832 +\| 11\.3 +\| 150 +\| 20 +\|/,
      /next \(stream\.js:9\) +\| 512 +\|/,
      /worker 0 +\| 7 +\| 9\.5 +\| 4\.1 +\| 6\.2 +\|/,
      /6\.40 ms +\| 99\.90 % +\| 8 of run 3 +\| major GC 4\.1 ms on worker 0 +\|/,
      /900\.0 us +\| 99\.00 % +\| 2 of run 0 +\| unknown +\|/,
      /main +\| 3\.02 +\| 4\.4 +\|/,
      /MatMulNBits +\| 480 +\| 612\.3 +\| 81\.2 % +\|/,
      /\(the whole run\) +\| +\| 801\.5 +\|/,
      /-> consumer awake +\| 14\.0 us +\| 80\.0 us +\| 160\.0 us +\|/,
      /residual per generation +\| 120\.0 us +\| 900\.0 us +\| 1\.80 ms +\|/,
    ];
    for (const row of rows) expect(text).toMatch(row);
    const cost =
      "Cost of the profile, paced 100 us pooled, sync stream: 4.3 % [3.1, 5.5], 31.0 [27.0, 35.0] us per " +
      "token (without it, against itself: 0.1 % [-0.1, 0.3]; 12 blocks); 14 generations profiled.";
    expect(text.split(cost)).toHaveLength(7);
    expect(text).toMatch(/Files: profiles\/main\.cpuprofile, .*worker-1\.cpuprofile and 1 more\n/);
  });

  it("shows the peak memory of each mode, and what it allocates where that was profiled", async () => {
    const record = await exampleRecord();
    expect(renderSummary(record, plain)).toContain("Peak memory, MiB (generate / sync / async");
    const text = renderSummary(withLoadsAndProfiles(record), plain);
    expect(text).toContain("main, B/token");
    expect(text).toMatch(/\| \d+ \/ \d+ \/ \d+ +\| \d+ \/ \d+ \/ \d+ +\| - \/ 832 \/ - +\|/);
  });

  it("names what failed beside the cells", async () => {
    const failedMeasurements = [{ id: "fake ledger", code: "ENGINE_FAILED", message: "It broke." }];
    const text = renderSummary({ ...(await exampleRecord()), failedMeasurements }, plain);
    expect(text).toContain("Failed, fake ledger: ENGINE_FAILED It broke.");
  });

  it("fits a terminal of 120 columns", async () => {
    const text = renderSummary(await fullRecord(), plain);
    const tables = text.split("\n").filter((line) => /^[|+-]/.test(line));
    expect(Math.max(...tables.map(({ length }) => length))).toBeLessThanOrEqual(120);
  });
});

describe("the record of these examples", () => {
  it("can be read", async () => {
    const record = await fullRecord();
    expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });
});

describe("definitions", () => {
  it("have names of their own", () => {
    const names = definitions.map(({ metric }) => metric);
    expect(new Set(names).size).toBe(names.length);
  });
});
