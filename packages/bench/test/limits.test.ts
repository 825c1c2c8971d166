import { describe, expect, it } from "vitest";
import { renderSummary } from "@streamgauge/bench";
import { appendLimit } from "../src/commands/limits.js";
import { judgeClaims } from "../src/conclude/claims.js";
import { exampleRecord } from "./example-record.js";

describe("--limit", () => {
  it("makes claims about every cell", async () => {
    const claims = ["stream=5%", "stream=40us", "streamAsync=0.5%"].reduce(
      (before: ReturnType<typeof appendLimit>, text) => appendLimit(text, before),
      [],
    );
    expect(claims).toEqual([
      {
        id: "stream-under-5-percent",
        metric: "overhead",
        treatment: "stream",
        limit: 0.05,
        of: {},
      },
      {
        id: "stream-under-40-microseconds",
        metric: "absoluteCost",
        treatment: "stream",
        limit: 40,
        of: {},
      },
      {
        id: "streamAsync-under-0.5-percent",
        metric: "overhead",
        treatment: "streamAsync",
        limit: 0.005,
        of: {},
      },
    ]);
    const { cells } = await exampleRecord();
    expect(judgeClaims(claims, cells)).toHaveLength(3 * cells.length);
  });

  it.each([
    "stream",
    "stream=",
    "stream=-5%",
    "stream=5",
    "control=5%",
    "stream=0us",
    "stream=5 %",
  ])("refuses %j", (text) =>
    expect(() => appendLimit(text, undefined)).toThrow(/"stream" or "streamAsync"/),
  );
});

describe("the end of a run over somebody's own generator", () => {
  it("has the overhead, TTFT and ITL of both ways to stream", async () => {
    const record = await exampleRecord();
    const options = { color: false, unicode: true, recordPath: "record.json" };
    const own = { ...record, cells: record.cells.map((cell) => ({ ...cell, engine: "custom" })) };
    const title = "Streaming against generate()";
    expect(renderSummary(record, options)).not.toContain(title);
    const [, table = ""] = renderSummary(own, options).split(title);
    expect(table).toMatch(/overhead .*TTFT p50.*p99.*ITL p50.*p99/);
    expect(table).toMatch(/sync stream .* % \[.*[mµ]s/);
    expect(table).toMatch(/async stream .* % \[.*[mµ]s/);
  });
});
