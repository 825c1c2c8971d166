import { beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "../src/record/index.js";
import {
  engine,
  engineRatio,
  memory,
  notesIn,
  parts,
  profiles,
  shownIn,
  stacks,
  transports,
  type Place,
  type Table,
} from "../src/tables/index.js";
import { withLoadsAndProfiles } from "./example-profiles.js";
import { exampleEngine } from "./example-engine.js";
import { exampleRecord } from "./example-record.js";
import { exampleStacks } from "./example-stacks.js";
import { exampleTransports } from "./example-transports.js";

let record: ResultRecord;
beforeAll(async () => {
  record = {
    ...withLoadsAndProfiles(await exampleRecord()),
    transports: exampleTransports,
    stacks: exampleStacks,
    engine: exampleEngine,
  };
});

/** Heads that a place shows, a document's longer ones where it has them. */
function headsIn(place: Place, table: Table): string[] {
  return shownIn(place, table).columns.map(({ head, documentHead = head }) =>
    place === "document" ? documentHead : head,
  );
}

/** The profile's table with this heading. */
function profileTable(heading: string, of = record): Table {
  return profiles(of)
    .flat()
    .find((table) => table.heading === heading)!;
}

describe("tables", () => {
  it("have a value for each of their columns", () => {
    const all = Object.values(parts).flatMap(({ groups }) => groups(record).flat());
    const ragged = all.filter(({ columns, rows }) =>
      rows.some(({ values }) => values.length !== columns.length),
    );
    expect(ragged).toEqual([]);
  });

  it("name what a stack's cost grows as, and which libraries were measured", () => {
    const [burst, pace] = stacks(record);
    const grows = shownIn("terminal", burst!).rows.map(({ values }) => values[3]);
    expect(grows[0]).toMatchObject({
      kind: "phrase",
      values: [{ kind: "ratioEstimate" }, " linear"],
    });
    expect(grows[1]).toMatchObject({ values: [{ kind: "ratioEstimate" }, " quadratic"] });
    expect(notesIn("document", burst!)).toContain(
      "Libraries: carrier 7.1.0 (asks for Node.js >=22).",
    );
    expect(notesIn("terminal", burst!)).toEqual(["Left out: llama: it is not installed."]);
    expect(headsIn("terminal", pace!)).toEqual([
      "stack",
      "less",
      "delay p50",
      "p99",
      "tokens/piece",
    ]);
  });

  it("keep the interval of a ratio where there is room for it", () => {
    const [burst] = transports(record);
    const postMessage = (place: Place) => shownIn(place, burst!).rows[1]?.values.at(-1);
    expect(postMessage("terminal")).toEqual({ kind: "ratio", value: 7.73 });
    expect(postMessage("document")).toMatchObject({
      kind: "ratioEstimate",
      estimate: { value: 7.73, interval95: { lower: 7.23, upper: 8.23 } },
    });
  });

  it("show the slowest tokens and the outer memory in documents alone", () => {
    const [burst] = transports(record);
    expect(headsIn("document", burst!)).toContain("delivery latency, max");
    expect(headsIn("terminal", burst!)).not.toContain("delivery latency, max");
    expect(headsIn("document", memory(record))).toEqual([
      "generator",
      "peak resident",
      "heap",
      "external",
      "array buffers",
      "allocated per token, main",
    ]);
    expect(headsIn("terminal", memory(record))).toEqual([
      "generator",
      "resident",
      "JS heap",
      "main, B/token",
    ]);
  });

  it("shorten long lists of each profile in a terminal, but not what they add up to", () => {
    const many = (record.profiles ?? []).flatMap((profile) => {
      if (profile.findings.kind !== "operators") return [];
      const [operator] = profile.findings.operators;
      const operators = Array.from({ length: 12 }, () => operator!);
      const findings = { ...profile.findings, operators };
      return [
        { ...profile, findings },
        { ...profile, findings },
      ];
    });
    const table = profileTable("Operators", { ...record, profiles: many });
    const shown = (place: Place) =>
      shownIn(place, table).rows.map(({ values }) => values[4] === "(the whole run)");
    const eight = Array.from({ length: 8 }, () => false);
    expect(shown("terminal")).toEqual([...eight, true, ...eight, true]);
    expect(shown("document")).toHaveLength(26);
  });

  it("say what an instrument costs under its last table, with all files in documents", () => {
    const [cpu] = profiles(record);
    expect(cpu?.map(({ notes = [] }) => notes.length > 0)).toEqual([false, true]);
    const filesIn = (place: Place) =>
      notesIn(place, cpu!.at(-1)!).filter((note) => typeof note === "string");
    expect(filesIn("terminal")).toEqual([expect.stringMatching(/^ {2}Files: .* and 1 more$/)]);
    expect(filesIn("document")).toEqual([
      expect.stringMatching(/^Files: profiles\/main.cpuprofile, .*\.$/),
    ]);
  });

  it("have nothing of what a record has nothing of", async () => {
    const bare = await exampleRecord();
    expect([...transports(bare), ...engine(bare), ...profiles(bare)]).toEqual([]);
    expect(memory({ ...bare, cells: [] }).rows).toEqual([]);
    expect(notesIn("document", memory({ ...bare, cells: [] }))).toEqual([]);
  });
});

describe("engineRatio", () => {
  it("is the range of quotients where there are too few runs, and nothing without a comparison", () => {
    const range = { ratio: null, smallestRatio: 0.4, largestRatio: 0.6 };
    expect(engineRatio(range)).toEqual({ kind: "ratioRange", lower: 0.4, upper: 0.6 });
    expect(engineRatio(undefined)).toBeNull();
  });
});
