import { join } from "node:path";
import type { EngineMeasurement } from "@streamgauge/bench/record";
import { expect, it } from "vitest";
import { exampleEngine } from "../../bench/test/example-engine.js";
import { fillMarkers } from "../src/markers/fill-markers.js";
import { renderMarker } from "../src/markers/figures.js";
import { engine } from "../src/sections/engine.js";
import { wholeRecord } from "./whole-record.js";

it("shows each measurement with its terms beside the numbers, and each verdict", async () => {
  const [streams = "", memory = "", ...others] = engine(await wholeRecord());
  expect(others).toEqual([]);
  expect(streams).toContain("## Engine: 8 streams in one worker, fp32");
  expect(streams).toMatch(
    /\| at once +\| 4\.00 +\| 250 +\| 32\.00 ms +\| 41\.00 ms +\| 82\.00 ms +\| 0\.200 \(0\.190 to 0\.210\)/,
  );
  expect(streams).toContain("**engine comparison**");
  expect(streams).toContain("6 blocks, after 1 that were dropped.");
  expect(streams).toContain("The same file onnx/model.onnx; the ids are equal.");
  expect(streams).toMatch(
    /- at once \/ one after another: 0\.200 \(0\.190 to 0\.210\); limit &lt; 0\.222 \(at least 4\.5 times the tokens\/s\): upheld\./,
  );
  expect(streams).not.toContain("It is surely below.");
  expect(memory).toMatch(/\| streamgauge +\| 1300 +\| 0\.520 to 0\.520 \(range\) +\|/);
  expect(memory).toMatch(
    /: 0\.520 to 0\.520 \(range\); limit &lt; 0\.500 \(.*\): refuted\. .*Any two runs give a ratio/,
  );
  expect(memory).not.toContain("tokens/s");
});

it("shows what a newer record says instead, and where that is from", async () => {
  const whole = await wholeRecord();
  const { engine: measured, ...own } = { ...whole, startedAt: "2026-11-20T10:00:00.000Z" };
  const at = (startedAt: string) => ({
    engine: {
      path: join("somewhere", "results", "later", "record.json"),
      record: { ...whole, startedAt, engine: measured?.slice(1) ?? [] },
    },
  });
  const [memory = "", ...others] = engine(own, at("2026-11-21T10:00:00.000Z"));
  expect(others).toEqual([]);
  expect(memory).toContain("from results/later, measured later than the rest: on 2026-11-21");
  expect(memory).toContain("**engine comparison**");
  expect(engine({ ...own, engine: measured ?? [] }, at("2026-11-19T10:00:00.000Z"))).toEqual(
    engine({ ...own, engine: measured ?? [] }),
  );
});

/** The measurement of memory with another rival, and a claim about each. */
function besideTwo(measurement: EngineMeasurement): EngineMeasurement {
  const [first, second] = measurement.contenders;
  const [claim] = measurement.claims;
  if (first === undefined || second === undefined || claim === undefined) throw new RangeError();
  const other = { ratio: null, smallestRatio: 1.25, largestRatio: 1.25, against: "llama.cpp" };
  return {
    ...measurement,
    contenders: [
      { ...first, comparisons: [...first.comparisons, other] },
      { ...second, comparisons: [{ ...other, smallestRatio: 2.4, largestRatio: 2.4 }] },
      { ...second, contender: "llama.cpp", value: 1040, comparisons: [] },
    ],
    claims: [claim, { ...claim, against: "llama.cpp", promise: "no more", verdict: "void" }],
  };
}

it("shows every rival beside the others", async () => {
  const record = { ...(await wholeRecord()), engine: exampleEngine.slice(1).map(besideTwo) };
  const [memory = ""] = engine(record);
  expect(memory).toMatch(/\/ that of transformers\.js \| its MiB \/ that of llama\.cpp/);
  expect(memory).toMatch(/\| streamgauge +\| 1300 +\| 0\.520 to .*\| 1\.25 to 1\.25 \(range\)/);
  const found = { path: "results/mine/record.json", record };
  const shelf = { report: found, others: [] };
  const words = { link: (path: string) => path, chart: () => "" };
  const { text, problems } = fillMarkers(
    "<!-- sg:engine-table -->\n<!-- /sg -->\n\n" +
      "It is <!-- sg:engine-factor of=peak-memory-fp32-4096 against=llama.cpp --><!-- /sg -->",
    (marker) => renderMarker(marker, shelf, words),
  );
  expect(problems).toEqual([]);
  expect(text).toMatch(/\| transformers\.js \| 0\.520 .*\| refuted/);
  expect(text).toMatch(/\| llama\.cpp +\| 1\.25 .*\| no more +\| void/);
  expect(text).toContain("0.800 to 0.800 (range)");
  const wrong = fillMarkers(
    "It is <!-- sg:engine-ratio of=peak-memory-fp32-4096 against=none --><!-- /sg -->",
    (marker) => renderMarker(marker, shelf, words),
  );
  expect(wrong.problems[0]?.message).toMatch(/no comparison with none .*transformers\.js, llama/);
});

it("shows nothing where none was measured", async () => {
  const { engine: _none, ...record } = await wholeRecord();
  expect(engine(record)).toEqual([]);
  expect(exampleEngine).toHaveLength(2);
});
