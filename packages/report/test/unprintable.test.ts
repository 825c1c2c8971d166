// What a terminal obeys, in a record's strings: documents, pages and exports are printed, too.
import { beforeAll, expect, it } from "vitest";
import { parseRecord, type ResultRecord } from "@streamgauge/bench/record";
import {
  exportFormats,
  renderBenchmarks,
  renderChangelogSnippet,
  renderChangeset,
  renderHtmlReport,
} from "@streamgauge/report";
import { expectShowable } from "../../core/test/fuzz-outcome.js";
import { exportableRecord, exportedFiles } from "./exported.js";

/** ESC c resets a terminal; DCS, OSC and CSI, as ESC and as C1; marks of direction. */
const hostile =
  "\u001Bc\u001BPq\u001B\\\u001B]0;t\u0007\u009B31m\u0090q\u009C\u202Eb\u2066\u200F\u061C\u007F";

let record: ResultRecord;
beforeAll(async () => {
  record = parseRecord(withHostileStrings(await exportableRecord()));
});

/** Each string that is free is followed by what a terminal obeys. */
function withHostileStrings(value: unknown, field = ""): unknown {
  if (Array.isArray(value)) return value.map((each) => withHostileStrings(each, field));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, of]) => [key, withHostileStrings(of, key)]),
    );
  }
  const free = /^(id|runId|profile|model|generator|host|cell|scenario|advice|reasons|cpuModel)$/;
  const alsoFree =
    /^(operatingSystem|nodeVersion|message|thread|name|file|cause|formula|stack|reason|version)$/;
  const isFree = typeof value === "string" && (free.test(field) || alsoFree.test(field));
  return isFree ? `${value}${hostile}` : value;
}

it("reaches no document", () => {
  for (const text of [
    renderBenchmarks(record),
    renderChangelogSnippet(record),
    renderChangeset(record),
  ]) {
    expect(text).toContain("\uFFFDc");
    expectShowable(text);
  }
});

it("reaches no page", async () => {
  const page = await renderHtmlReport(record);
  expect(page).toContain("\uFFFDc");
  expectShowable(page);
});

it("reaches no export, and JSON loses nothing", async () => {
  for (const { name } of exportFormats) {
    for (const { content } of await exportedFiles(name, record)) {
      if (typeof content === "string") expectShowable(content);
    }
  }
  const [bencher] = await exportedFiles("bencher", record);
  const [cell] = record.cells;
  const keys = Object.keys(JSON.parse(String(bencher?.content)) as object);
  expect(keys.some((key) => key.startsWith(cell!.id))).toBe(true);
});
