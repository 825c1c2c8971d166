import { expect, it } from "vitest";
import { exampleEngine } from "../../bench/test/example-engine.js";
import { engine } from "../src/engine.js";
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
  expect(streams).toMatch(/at least 4\.5 times the tokens\/s \(ratio &lt; 0\.222\): upheld\./);
  expect(streams).not.toContain("It is surely below.");
  expect(memory).toMatch(/\| streamgauge +\| 1300 +\| 0\.520 to 0\.520 \(range\) +\|/);
  expect(memory).toMatch(/ratio &lt; 0\.500\): refuted\. .*Any two runs give a ratio/);
  expect(memory).not.toContain("tokens/s");
});

it("shows nothing where none was measured", async () => {
  const { engine: _none, ...record } = await wholeRecord();
  expect(engine(record)).toEqual([]);
  expect(exampleEngine).toHaveLength(2);
});
