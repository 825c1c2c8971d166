// The twelve lines with which a bench ends, and the summary that they are made from.
import { describe, expect, it } from "vitest";
import type { Cell, ClaimResult, ResultRecord, Verdict } from "../src/record/index.js";
import { summarize, type RunPlace } from "../src/summary/index.js";
import { answerLines, mostAnswerLines } from "../src/terminal/answer-lines.js";
import { exampleEngine } from "./example-engine.js";
import { withLoadsAndProfiles } from "./example-profiles.js";
import { exampleRecord } from "./example-record.js";
import { exampleTransports } from "./example-transports.js";

const folder = "results/local/2026-11-30T12-31-48.123Z";
const place: RunPlace = {
  recordPath: `${folder}/record.json`,
  folder,
  benchCommand: "pnpm streamgauge",
  reportCommand: "pnpm report",
};

function linesOf(record: ResultRecord, width: number, given: RunPlace = place): string[] {
  return answerLines(summarize(record, given), { color: false, unicode: true, width });
}

/** The example with the claims of the seed alone, decided: one of them holds. */
async function decidedRecord(): Promise<ResultRecord> {
  const record = await exampleRecord();
  return {
    ...record,
    claims: record.claims
      .filter(({ limit }) => limit >= 0.05)
      .map((claim) => ({
        ...claim,
        verdict: claim.treatment === "stream" ? ("upheld" as const) : ("refuted" as const),
      })),
  };
}

/** Lines of a terminal, which breaks those that are wider than it. */
function rowsOf(lines: readonly string[], width: number): number {
  return lines.reduce((sum, { length }) => sum + Math.max(1, Math.ceil(length / width)), 0);
}

/** With something of everything, every verdict, failures and advice. */
async function fullRecord(): Promise<ResultRecord> {
  const record = await exampleRecord();
  const [claim] = record.claims;
  const verdicts: readonly Verdict[] = ["upheld", "refuted", "inconclusive", "void"];
  return {
    ...withLoadsAndProfiles(record),
    transports: exampleTransports,
    engine: exampleEngine,
    claims: verdicts.flatMap((verdict, index): ClaimResult[] => [
      { ...claim!, verdict, limit: index / 100 },
      { ...claim!, verdict, limit: 0.5 },
    ]),
    failedMeasurements: [{ id: "fake ledger", code: "ENGINE_FAILED", message: "It\nbroke." }],
    environment: { ...record.environment, advice: ["load 3.1 before start: close other work"] },
  };
}

async function withCell(change: (cell: Cell) => Partial<Cell>): Promise<ResultRecord> {
  const record = await exampleRecord();
  return { ...record, cells: record.cells.map((cell) => ({ ...cell, ...change(cell) })) };
}

const records: readonly (readonly [string, () => Promise<ResultRecord>])[] = [
  ["an ordinary run", exampleRecord],
  ["everything", fullRecord],
  ["an interrupted run", async () => ({ ...(await fullRecord()), status: "interrupted" })],
  ["no claims", async () => ({ ...(await exampleRecord()), claims: [] })],
  ["transports only", async () => ({ ...(await fullRecord()), cells: [], claims: [] })],
  ["nothing", async () => ({ ...(await exampleRecord()), cells: [], claims: [], mainThread: [] })],
  [
    "a failed cell",
    () =>
      withCell(() => ({
        status: "failed",
        failure: { code: "ENGINE_FAILED", message: "It broke. ".repeat(50) },
        analysis: null,
        distributions: [],
      })),
  ],
  ["long names", () => withCell(() => ({ id: "i".repeat(300), model: "m".repeat(300) }))],
];

describe("the last lines of a bench", () => {
  it.each(records)("are at most twelve, and no wider than the terminal, of %s", async (_, make) => {
    const record = await make();
    for (const width of [80, 100, 120, 200]) {
      const lines = linesOf(record, width);
      expect(rowsOf(lines, width)).toBeLessThanOrEqual(mostAnswerLines);
      const commands = /^(?:Next|Resume|Page)\b.*: /;
      const wide = lines.filter((line) => line.length > width && !commands.test(line));
      expect(wide).toEqual([]);
    }
  });

  it("say what streaming costs, per token and of two models, and when tokens come", async () => {
    const [title, head, sync, async] = linesOf(await exampleRecord(), 120);
    expect(title).toBe(
      "Streaming from fake in the consuming thread, 10 tokens, 100 µs each without streaming, 8 blocks",
    );
    expect(head).toMatch(
      /^ +cost, µs\/token \[95 %\] +of this model +of a 20 ms model +first token p50\/p99/,
    );
    expect(sync).toMatch(
      /^sync stream +0\.0 \[0\.0, 0\.0\] +0\.0 % +0\.00 % +100\.0 µs \/ 100\.0 µs +100\.0 µs \/ 1/,
    );
    expect(async).toMatch(/^async stream +20\.0 \[20\.0, 20\.0\] +20\.0 % +0\.10 % +120\.0 µs/);
  });

  it("have intervals of every estimate where there is room, and two tables where there is not", async () => {
    const record = await exampleRecord();
    expect(linesOf(record, 200)[3]).toContain("20.0 % [20.0, 20.0]  0.10 % [0.10, 0.10]");
    const narrow = linesOf(record, 80).filter((line) => line.startsWith("async stream"));
    expect(narrow).toHaveLength(2);
    expect(narrow[1]).toMatch(/^async stream +120\.0 µs \/ 120\.0 µs +120\.0 µs \/ 120\.0 µs$/);
  });

  it("say the verdicts in words, what does not hold first", async () => {
    const lines = linesOf(await decidedRecord(), 120);
    const at = (start: string): number => lines.findIndex((line) => line.startsWith(start));
    expect(lines[at("Does not hold: ")]).toBe("Does not hold: async stream adds less than 10 %");
    expect(lines[at("Holds: ")]).toBe("Holds: sync stream adds less than 5 %");
    expect(at("Does not hold: ")).toBeLessThan(at("Holds: "));
  });

  it.each([
    ["lengths", {}],
    ["cells", { generator: "other" }],
    ["cells", { tokens: 10 }],
  ] as const)("name what a claim was held against: %s for %j", async (about, change) => {
    const record = await exampleRecord();
    const [cell, [claim]] = [record.cells[0]!, record.claims];
    const cells = [
      { ...cell, id: "short", tokens: 10 },
      { ...cell, id: "long", tokens: 50, ...change },
    ];
    const claims = cells.map(({ id }) => ({ ...claim!, cell: id, verdict: "upheld" as const }));
    const [seen] = summarize({ ...record, cells, claims }, place).claims;
    expect(seen).toMatchObject({ about, upheld: ["short", "long"] });
  });

  it("say each claim in a sentence, whatever it is about", async () => {
    const record = { ...(await exampleRecord()), transports: exampleTransports };
    const [engine] = exampleEngine;
    const judged = (contender: string, limit: number) => {
      const [claim] = exampleEngine.flatMap(({ claims }) => claims);
      return { ...claim!, contender, against: "llama.cpp", limit };
    };
    const claims = [judged("ours", 1), judged("both at once", 0.4), judged("ours", 1.03)];
    const memory = { ...engine!, unit: "MiB", claims: [judged("ours", 0.5)] };
    const contenders = memory.contenders.map((one) => ({ ...one, tokensPerSecond: null }));
    const measured = [
      { ...engine!, claims },
      { ...memory, contenders },
    ];
    const said = summarize({ ...record, claims: [], engine: measured }).claims;
    expect(said.map(({ claim }) => claim)).toEqual([
      "a ring buffer with Atomics.waitAsync takes less than 20 % of the CPU time of postMessage",
      `ours makes at least as many tokens/s as llama.cpp (${engine!.title})`,
      `"both at once" makes at least 2.5 times the tokens/s of llama.cpp (${engine!.title})`,
      `ours takes at most 103 % of the time of llama.cpp (${engine!.title})`,
      `ours takes at most 50 % of the memory of llama.cpp (${engine!.title})`,
    ]);
  });

  it("count the claims that there is no room for", async () => {
    const lines = linesOf(await fullRecord(), 80);
    expect(lines.join("\n")).toMatch(/^Failed: fake ledger: ENGINE_FAILED It broke\.$/m);
    expect(lines.join("\n")).toMatch(/^More on the page: .*undecided: \d+; too noisy to say: \d+/m);
  });

  it("end with what to run next and how to make the page", async () => {
    const lines = linesOf(await decidedRecord(), 120);
    expect(lines.at(-2)).toBe(
      "Next, to see where time goes: pnpm streamgauge bench --scenario model --tokens 10 --cpu-profile",
    );
    expect(lines.at(-1)).toBe(`Page: pnpm report --html --record ${folder}`);
  });

  it("say how an interrupted run goes on, with the modules that it needs", async () => {
    const record = { ...(await exampleRecord()), status: "interrupted" as const };
    const lines = linesOf(record, 80, { ...place, arguments: ["my engine.bench.js"] });
    expect(lines[0]).toMatch(/^Interrupted: streaming from fake/);
    expect(lines.at(-2)).toBe(
      `Resume: pnpm streamgauge bench "my engine.bench.js" --resume ${folder}`,
    );
  });

  it("say what an interrupted run of an endpoint needs again, which no record holds", async () => {
    const example = await exampleRecord();
    const server = { host: "127.0.0.1:80", model: "whale" };
    const endpoint = {
      ...server,
      api: "chat" as const,
      maxTokens: 64,
      prompts: { count: 1, sha256: "" },
      against: server,
    };
    const record = { ...example, plan: { ...example.plan, endpoint } };
    const interrupted = { ...record, status: "interrupted" as const };
    const given = { ...place, endpointArguments: ["--url", "http://a/v1", "--prompts", "my.txt"] };
    const resume = (where: RunPlace): string | undefined =>
      summarize(interrupted, where).next?.command.split(folder)[1];
    expect(resume(given)).toBe(" --url http://a/v1 --prompts my.txt");
    expect(resume(place)).toBe(' --url "<address>" --against "<address>"');
    // Nothing in this workspace would measure more of it.
    expect(summarize(record, place).next?.kind).toBe("verify");
  });

  it.each([
    ["quick", "upheld", "Next, to confirm it: pnpm streamgauge bench --profile standard"],
    [
      "quick",
      "inconclusive",
      "Next, to decide the rest: pnpm streamgauge bench --profile standard",
    ],
    ["standard", "void", "Next, to decide the rest: pnpm streamgauge bench --profile full"],
    ["standard", "upheld", "Next, to measure more: pnpm streamgauge bench --profile full"],
    ["full", "upheld", `Next, to check the record: pnpm streamgauge verify ${folder}`],
  ] as const)("after %s with what is %s propose: %s", async (profile, verdict, next) => {
    const record = await exampleRecord();
    const claims = record.claims.map((claim) => ({ ...claim, verdict }));
    expect(linesOf({ ...record, profile, claims }, 120).at(-2)).toBe(next);
  });

  it("ask for the same scenarios and the same model again", async () => {
    const record = await exampleRecord();
    const plan = { ...record.plan, scenarios: ["model"], model: "my models/a", tokens: [10, 50] };
    const { next } = summarize({ ...record, profile: "quick", plan, claims: [] }, place);
    expect(next?.command).toBe(
      'pnpm streamgauge bench --scenario model --model "my models/a" --tokens 10 50 --profile standard',
    );
  });

  it("show what ways between threads cost where no stream was measured", async () => {
    const record = { ...(await fullRecord()), cells: [], claims: [], engine: [] };
    const lines = linesOf(record, 200);
    expect(lines[0]).toBe("This run compared no stream with generate().");
    expect(lines.join("\n")).toMatch(
      /^CPU to send a token, 20000 tokens in a burst: ring 0\.30 µs; .*postMessage 2\.50 µs/m,
    );
  });

  it("are plain ASCII where nothing says otherwise, and colored where asked", async () => {
    const summary = summarize(await fullRecord(), place);
    const plain = answerLines(summary, { color: false, unicode: false, width: 100 });
    expect(plain.join("\n")).toMatch(/^[\n -~]*$/);
    const colored = answerLines(summary, { color: true, unicode: true, width: 100 });
    expect(colored.join("\n")).toContain("\u001B[31mDoes not hold\u001B[39m: ");
  });

  it("obey nothing that a record says", async () => {
    const hostile = "a\u001B]0;t\u0007\u009B31m\u202Eb";
    const record = await withCell(() => ({ id: hostile, model: hostile }));
    const claims = record.claims.map((claim) => ({ ...claim, cell: hostile }));
    const failedMeasurements = [{ id: hostile, code: hostile, message: hostile }];
    const text = linesOf({ ...record, claims, failedMeasurements }, 120).join("\n");
    expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202E]/u);
  });
});

describe("the summary of a run", () => {
  it("is JSON with the numbers of the record", async () => {
    const record = await decidedRecord();
    const summary = summarize(record, place);
    expect(JSON.parse(JSON.stringify(summary))).toEqual(summary);
    expect(summary).toMatchObject({
      schema: "streamgauge/summary",
      version: 1,
      runId: record.runId,
      machine: { cpuModel: record.environment.cpuModel },
      streaming: {
        cell: "fake-10",
        generateMicrosecondsPerToken: 100,
        modes: [
          { mode: "stream", name: "sync stream" },
          {
            mode: "streamAsync",
            costMicrosecondsPerToken: { value: expect.closeTo(20, 6) as number },
            fractionOfThisModel: { value: expect.closeTo(0.2, 6) as number },
            fractionOfOrdinaryModel: { value: expect.closeTo(0.001, 6) as number },
          },
        ],
      },
      claims: [
        { claim: "sync stream adds less than 5 %", upheld: ["fake-10"], refuted: [] },
        { claim: "async stream adds less than 10 %", upheld: [], refuted: ["fake-10"] },
      ],
      next: { kind: "explain" },
      record: `${folder}/record.json`,
    });
  });

  it("names no commands where it does not know the place", async () => {
    const { next, pageCommand, record } = summarize(await exampleRecord());
    expect({ next, pageCommand, record }).toEqual({ next: null, pageCommand: null, record: null });
  });
});
