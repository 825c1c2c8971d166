import { readFile, readdir } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { InvalidRecordError, parseRecord } from "../src/record/index.js";
import { exampleRecord } from "./example-record.js";

describe("parseRecord", () => {
  it("accepts what the bench writes, after a trip through JSON", async () => {
    const record = await exampleRecord();
    expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
  });

  it.each([null, 7, "record", [], {}, { schema: "something/else" }])("refuses %j", (json) => {
    expect(() => parseRecord(json)).toThrow(/not a streamgauge result record/);
  });

  it.each([1, 2, 5, undefined])("refuses version %s, naming it and the remedy", async (version) => {
    const other = { ...(await exampleRecord()), version };
    expect(() => parseRecord(other)).toThrow(InvalidRecordError);
    expect(() => parseRecord(other)).toThrow(
      `The record has version ${version}, and this streamgauge reads versions 3 and 4. ` +
        "Read it with the streamgauge that wrote it, or run the bench again.",
    );
  });

  it("refuses a version that has no text", async () => {
    const other = { ...(await exampleRecord()), version: { toString: null } };
    expect(() => parseRecord(other)).toThrow('has version {"toString":null}, and');
  });

  it("names the field that is damaged", async () => {
    const record = structuredClone(await exampleRecord());
    const [cell] = record.cells;
    Object.assign(cell?.blocks[0]?.runs[1] ?? {}, { endToEndNanoseconds: null });
    expect(() => parseRecord(record)).toThrow(
      /"record\.cells\[0\]\.blocks\[0\]\.runs\[1\]\.endToEndNanoseconds" must be a number/,
    );
  });

  it("imports nothing but its own parts, and no part itself, types included", async () => {
    const folder = new URL("../src/record/", import.meta.url);
    const imports = new Map<string, readonly string[]>();
    for (const file of await readdir(folder)) {
      const text = await readFile(new URL(file, folder), "utf8");
      const from = [...text.matchAll(/ from "([^"]+)";/g)].map(([, name = ""]) => name);
      for (const name of from) expect(name).toMatch(/^\.\/[a-z-]+\.js$/);
      imports.set(
        file,
        from.map((name) => name.replace(/^\.\/(.*)\.js$/, "$1.ts")),
      );
    }
    const walk = (file: string, path: readonly string[]): void => {
      const way = [...path, file];
      expect([...new Set(way)]).toEqual(way);
      for (const next of imports.get(file) ?? []) walk(next, way);
    };
    walk("index.ts", []);
    walk("definitions.ts", []);
  });
});
