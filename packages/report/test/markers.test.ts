import { describe, expect, it } from "vitest";
import { fillMarkers } from "../src/markers/fill-markers.js";
import { describeFigures, figures, renderMarker } from "../src/markers/figures.js";
import type { Marker } from "../src/markers/marker-syntax.js";
import { findOnShelf, type RecordShelf } from "../src/markers/record-shelf.js";
import type { FoundRecord } from "../src/files/find-record.js";
import { exampleEngine } from "../../bench/test/example-engine.js";
import { fixtureRecord } from "./fixture.js";
import { hostileRecord } from "./hostile-record.js";
import { wholeRecord } from "./whole-record.js";

const words = { link: (path: string) => path, chart: (name: string) => `![${name}](${name}.svg)` };

async function shelf(): Promise<RecordShelf> {
  const report = { path: "results/mine/record.json", record: await fixtureRecord() };
  const whole = { path: "results/whole/record.json", record: await wholeRecord() };
  return { report, others: [whole] };
}

async function fill(text: string): Promise<ReturnType<typeof fillMarkers>> {
  const records = await shelf();
  return fillMarkers(text, (marker) => renderMarker(marker, records, words));
}

/** The message of the only problem, with its line. */
async function problemOf(text: string): Promise<string> {
  const { problems, text: filled } = await fill(text);
  expect(problems).toHaveLength(1);
  expect(filled).toBe(text);
  return `${problems[0]!.line}: ${problems[0]!.marker} ${problems[0]!.message}`;
}

describe("markers in a line", () => {
  it("get what the record says, and nothing else changes", async () => {
    const { text, stale, problems } = await fill(
      "# T\n\nIt costs <!-- sg:overhead cell=pequod-pooled-10 mode=stream -->4 %<!-- /sg -->, *so*.\r\n",
    );
    expect(text).toBe(
      "# T\n\nIt costs <!-- sg:overhead cell=pequod-pooled-10 mode=stream -->0.8 % (0.5 to 1.1)<!-- /sg -->, *so*.\r\n",
    );
    expect(problems).toEqual([]);
    expect(stale).toEqual([
      {
        line: 3,
        marker: "<!-- sg:overhead cell=pequod-pooled-10 mode=stream -->",
        actual: "4 %",
        expected: "0.8 % (0.5 to 1.1)",
      },
    ]);
  });

  it("are filled once: the second time nothing changes", async () => {
    const first = await fill(
      "a <!-- sg:date --><!-- /sg --> b\n\n<!-- sg:overhead-table scenario=model -->\n<!-- /sg -->\n",
    );
    const second = await fill(first.text);
    expect(second).toEqual({ text: first.text, stale: [], problems: [] });
  });

  it("word verdicts so that prose stays true", async () => {
    const { text } = await fill(
      "under 10 %: <!-- sg:verdicts claim=async-under-10-percent --><!-- /sg -->",
    );
    expect(text).toContain("-->refuted at 10 and 50 tokens<!--");
  });

  it("quote a part of another record where the report's has none of it", async () => {
    const text =
      "wakes after <!-- sg:ledger generator=pequod-pooled mode=stream stage=woken p=50 from=ledger --><!-- /sg -->, " +
      "run <!-- sg:record from=ledger --><!-- /sg --> and <!-- sg:record from=model --><!-- /sg -->, " +
      "<!-- sg:record from=whole --><!-- /sg -->";
    const filled = await fill(text);
    expect(filled.problems).toEqual([]);
    expect(filled.text).toMatch(/p=50 from=ledger -->14\.\d µs<!--/);
    expect(filled.text).toContain("from=ledger -->[whole](results/whole)<!--");
    expect(filled.text).toContain("from=model -->[mine](results/mine)<!--");
    expect(filled.text).toContain("from=whole -->[whole](results/whole)<!--");
  });
});

describe("markers of a block", () => {
  it("get a table as the formatter writes it", async () => {
    const { text } = await fill("<!-- sg:overhead-table scenario=model -->\n<!-- /sg -->\n");
    const lines = text.split("\n");
    expect(lines.slice(0, 2)).toEqual(["<!-- sg:overhead-table scenario=model -->", ""]);
    expect(lines.slice(-3)).toEqual(["", "<!-- /sg -->", ""]);
    expect(lines[4]).toMatch(/^\| pequod \| 10 {5}\| 0\.8 % \(0\.5 to 1\.1\), upheld/);
    const table = lines.slice(2, -3);
    expect(new Set(table.map((line) => line.length)).size).toBe(1);
  });

  it("get some of the rows of a table, without its terms", async () => {
    const { text, problems } = await fill("<!-- sg:token-times at=20 -->\n<!-- /sg -->\n");
    expect(problems).toEqual([]);
    expect(text.split("\n").slice(4, -3)).toEqual([expect.stringMatching(/^\| 20 ms +\|/)]);
    expect(await problemOf("<!-- sg:token-times at=3 -->\n<!-- /sg -->\n")).toContain(
      "no such cost",
    );
  });

  it("get what some stacks add", async () => {
    const { text, problems } = await fill(
      '<!-- sg:stack-costs stacks="async iterator, carrier" tokens=100,10000 from=stacks -->\n<!-- /sg -->\n',
    );
    expect(problems).toEqual([]);
    expect(text.split("\n").slice(2, -3)).toEqual([
      expect.stringMatching(/^\| CPU per token +\| async iterator \| carrier \(7\.1\.0\) +\|$/),
      expect.any(String),
      expect.stringMatching(/^\| 100 tokens +\| – +\| 10\.0 \(.*\) µs +\|$/),
      expect.stringMatching(/^\| 10,000 tokens +\| – +\| 318 \(.*\) µs +\|$/),
    ]);
  });

  it("get what the terminal said at the end of the newest run of a preset", async () => {
    const { text, problems } = await fill("<!-- sg:answer from=quick -->\n<!-- /sg -->\n");
    expect(problems).toEqual([]);
    const lines = text.split("\n").slice(2, -3);
    expect([lines[0], lines.at(-1)]).toEqual(["```text", "```"]);
    expect(lines[1]).toMatch(/^Streaming from pequod/);
    expect(lines.at(-2)).toBe("Page: pnpm report --html --record results/mine");
    expect(lines.length).toBeLessThanOrEqual(14);
  });

  it("keep the star of a doc comment in each line", async () => {
    const { text, problems } = await fill(
      "  /**\n   * Makes.\n   *\n   * <!-- sg:performance-note mode=stream -->\n   * old\n   * <!-- /sg -->\n   */\n",
    );
    expect(problems).toEqual([]);
    const lines = text.split("\n");
    expect(lines.slice(1, -2).every((line) => line.startsWith("   *"))).toBe(true);
    expect(lines.every((line) => line.length < 100 && line === line.trimEnd())).toBe(true);
    expect(text.replaceAll(/\s*\n\s*\* /g, " ")).toMatch(
      /Measured on .* with pequod, pooled: .* 0\.8 % \(0\.5 to 1\.1\) at 10 tokens and .*Less than 5 % is upheld at 10 and 50 tokens\./,
    );
    expect((await fill(text)).stale).toEqual([]);
  });
});

describe("markers that cannot be filled", () => {
  it.each([
    [
      "x\ny <!-- sg:speed -->1<!-- /sg -->",
      /^2: <!-- sg:speed --> There is no figure "speed".*report figures/,
    ],
    ["y <!-- sg:date -->1\n", /^1: <!-- sg:date --> It is not closed/],
    ["y <!-- /sg --> z", /^1: <!-- \/sg --> It closes nothing/],
    ["y <!-- sg:date a -->1<!-- /sg -->", /Write it as/],
    ["<!-- sg:date -->1<!-- /sg --> begins", /begins a line.*put a word before it/],
    ["- <!-- sg:date -->1<!-- /sg --> begins", /begins a line/],
    ["y <!-- sg:overhead mode=stream -->1<!-- /sg -->", /cell=, mode=, from=; cell is missing/],
    ["y <!-- sg:date day=1 -->1<!-- /sg -->", /day is unknown/],
    ["y <!-- sg:cost-table scenario=model -->1<!-- /sg -->", /is a block/],
    ["<!-- sg:date -->\n<!-- /sg -->", /belongs into a line/],
    [
      "y <!-- sg:overhead cell=moby mode=stream -->1<!-- /sg -->",
      /results\/mine\/record\.json has no cell moby; it has pequod-pooled-10, .*name a record by from=/,
    ],
    ["y <!-- sg:cost cell=pequod-pooled-10 mode=both -->1<!-- /sg -->", /mode=both is none of/],
    [
      "<!-- sg:stack-costs stacks=carrier tokens=7 from=stacks -->\n<!-- /sg -->",
      /has no stacks at 7 tokens/,
    ],
    [
      "<!-- sg:stack-costs stacks=barge tokens=100 from=stacks -->\n<!-- /sg -->",
      /has no stack "barge"; it has async iterator, carrier/,
    ],
    ["y <!-- sg:date from=yesterday -->1<!-- /sg -->", /from=yesterday is no record.*ledger/],
    [
      "y <!-- sg:operators generator=pequod-pooled mode=stream -->1<!-- /sg -->",
      /has no operators/,
    ],
  ])("%s", async (text, expected) => {
    expect(await problemOf(text)).toMatch(expected);
  });

  it("do not keep others from being filled, nor swallow what follows", async () => {
    const { text, problems } = await fill(
      "a <!-- sg:date --> b <!-- sg:profile -->?<!-- /sg --> c\n",
    );
    expect(problems.map(({ marker }) => marker)).toEqual(["<!-- sg:date -->"]);
    expect(text).toBe("a <!-- sg:date --> b <!-- sg:profile -->quick<!-- /sg --> c\n");
  });
});

describe("from=", () => {
  it("means for the engine the newest record, and by other: one that is not the report's", async () => {
    const { report } = await shelf();
    const run = (name: string, day: number, engine: boolean): FoundRecord => ({
      path: `results/${name}/record.json`,
      record: {
        ...report.record,
        startedAt: `2027-01-0${day}T00:00:00.000Z`,
        ...(engine ? { engine: exampleEngine } : {}),
      },
    });
    const others = [run("newest", 4, false), run("engine-later", 3, true), run("own", 2, true)];
    const records = { report: others[2]!, others };
    const found = (from: string): string => findOnShelf(records, from).path.split("/")[1]!;
    expect(["", "model", "engine", "other:model", "other:engine"].map(found)).toEqual([
      "own",
      "own",
      "engine-later",
      "newest",
      "engine-later",
    ]);
    expect(() => findOnShelf({ report: others[2]!, others: [] }, "other:model")).toThrow(
      /from=other:model is no record/,
    );
  });
});

describe("a record of hostile strings", () => {
  it("gives text that is only text, also in a doc comment", async () => {
    const hostile = await hostileRecord();
    const name = "*/ export const x = 1; /* @deprecated {@link y} <!-- /sg --> -->\n# h\n- \u202E";
    const record = {
      ...hostile,
      profile: name,
      environment: { ...hostile.environment, cpuModel: name },
      cells: hostile.cells.map((cell, index) => ({
        ...cell,
        id: `c${index}`,
        model: name,
        scenario: "model",
      })),
    };
    const records = { report: { path: "results/x/record.json", record }, others: [] };
    const render = (marker: Marker): string => renderMarker(marker, records, words);
    const source =
      "a <!-- sg:profile --><!-- /sg --> <!-- sg:machine --><!-- /sg -->\n\n" +
      "<!-- sg:cost-table scenario=model -->\n<!-- /sg -->\n\n" +
      "   * <!-- sg:performance-note mode=stream -->\n   * <!-- /sg -->\n";
    const { text, problems } = fillMarkers(source, render);
    expect(problems).toEqual([]);
    const content = text.replaceAll(/<!-- (sg:[^>]*|\/sg) -->/g, "");
    expect(content).not.toMatch(/[<>@\u202E]|\*\/|^[\s*]*[#-] /m);
    expect(fillMarkers(text, render)).toMatchObject({ text, stale: [], problems: [] });
  });
});

it("an answer of hostile strings stays within its fence and its marker", async () => {
  const { report } = await shelf();
  const model = "```` <!-- /sg --> -->";
  const cells = report.record.cells.map((cell) => ({ ...cell, model }));
  const records = { report: { ...report, record: { ...report.record, cells } }, others: [] };
  const render = (marker: Marker): string => renderMarker(marker, records, words);
  const { text, problems } = fillMarkers("<!-- sg:answer -->\n<!-- /sg -->\n", render);
  expect(problems).toEqual([]);
  expect(text).toMatch(/^`{5}text$/m);
  expect(fillMarkers(text, render)).toMatchObject({ text, stale: [], problems: [] });
});

it("no line of a note begins a list or a heading, wherever it is broken", async () => {
  const { report } = await shelf();
  const record = { ...report.record, profile: "# - + 1. 2) word ".repeat(30) };
  const { text } = fillMarkers(
    " * <!-- sg:performance-note mode=stream -->\n * <!-- /sg -->\n",
    (marker) => renderMarker(marker, { report: { ...report, record }, others: [] }, words),
  );
  expect(text.split("\n").length).toBeGreaterThan(10);
  expect(text).not.toMatch(/^ \* ?(?:[#+-]|\d+[.)])(?: |$)/m);
});

describe("a figure that no committed record has yet", () => {
  const block = "\n\n<!-- sg:stack-table from=stacks -->\n<!-- /sg -->\n";

  it("says so, and is filled when one has it", async () => {
    const record = await fixtureRecord();
    const empty = { report: { path: "results/mine/record.json", record }, others: [] };
    const before = fillMarkers(block, (marker) => renderMarker(marker, empty, words));
    expect(before.problems).toEqual([]);
    expect(before.text).toContain("\nNo committed record has it yet.\n");
    const { text, problems } = await fill(before.text);
    expect(problems).toEqual([]);
    expect(text).toContain("CPU per token at 100 / 1,000 / 10,000 tokens");
    expect(text).toMatch(
      /\| carrier \(7\.1\.0\) +\| 12\.0 \/ 40\.0 \/ 320 µs +\| .*, quadratic +\|/,
    );
    expect(text).not.toContain("No committed record");
  });
});

describe("the catalogue", () => {
  it("has a line for each figure, with what a marker gives it", () => {
    const text = describeFigures();
    for (const name of figures.keys()) expect(text).toMatch(new RegExp(`^${name}( |$)`, "m"));
    expect(text).toContain("overhead cell= mode=\n    overhead against generate");
  });

  it.each([
    "cost cell=pequod-pooled-10 mode=stream",
    "time-to-first-token cell=pequod-pooled-10 mode=stream p=99",
    "difference cell=pequod-pooled-10 mode=control",
    "range of=token-time scenario=model mode=generate",
    "limit claim=sync-under-5-percent",
    "machine",
    "recording-cost",
    "stolen",
    "end-to-end cell=pequod-pooled-10 mode=generate",
    "busy cell=pequod-pooled-10 mode=stream",
    "detectable-effect cell=pequod-pooled-10 mode=stream",
    "calibration from=calibration",
    'busy-per-token generator=pequod-pooled mode=stream thread="main" from=cpuProfile',
    "whose-code generator=pequod-pooled mode=stream thread=main from=cpuProfile",
    "allocated generator=pequod-pooled mode=stream thread=main from=allocations",
    "promises generator=pequod-pooled mode=stream thread=main from=asyncActivity",
    "slowest-gaps generator=pequod-pooled mode=stream from=timeline",
    "operators generator=pequod-pooled mode=stream from=operators",
    "hottest-functions generator=pequod-pooled mode=stream thread=main category=host from=cpuProfile",
    "transport-cpu transport=ring gap=0 from=transports",
    "transport-limit transport=ring gap=0 from=transports",
    "engine-ratio of=streams-8 from=engine",
    "engine-factor of=streams-8 from=engine",
    'engine-factor of=streams-8 against="one after another" from=engine',
  ])("gives a number or a word for %s", async (marker) => {
    const { text, problems } = await fill(`is <!-- sg:${marker} --><!-- /sg -->.`);
    expect(problems).toEqual([]);
    expect(text).not.toContain("--><!-- /sg");
    expect(text).not.toMatch(/NaN|undefined|null/);
  });
});
