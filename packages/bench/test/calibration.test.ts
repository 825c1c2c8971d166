import { describe, expect, it } from "vitest";
import { analyze } from "../src/conclude/analysis.js";
import { calibrate } from "../src/conclude/calibration.js";
import { select } from "../src/run/plan-stages.js";
import { calibrationPreset } from "../src/run/presets.js";
import { injectedFractions } from "../src/scenarios/calibration.js";
import { parseRecord, type Cell } from "../src/record/index.js";
import { runBench } from "../src/run/run-bench.js";
import { inTemporaryFolder } from "./example-record.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measureCell } from "./measured-cell.js";
import { cellPlan } from "./plans.js";

/** A cell whose streams take `actual` longer, and whose every other block is slower by `wobble`. */
async function cellWith(injectedFraction: number, actual: number, wobble = 0): Promise<Cell> {
  const clock = new ManualClock();
  const generator = createFakeGenerator({
    clock,
    tokenNanoseconds: (mode, call) =>
      100_000 *
      (mode === "generate" ? 1 : 1 + actual) *
      (call % 3 === 0 ? 1 + wobble * (call % 7) : 1),
  });
  const work = { prompt: [1], config: { maxTokens: 10, ignoreEos: true, temperature: 0, seed: 1 } };
  const plan = cellPlan({ injectedFraction, blocks: 8 * 24, scenario: "calibration" });
  const cell = await measureCell(generator, plan, { clock, seed: 5, work });
  const blocks = cell.blocks.map((block, index) => ({ ...block, process: Math.floor(index / 24) }));
  return { ...cell, blocks, analysis: analyze(blocks, cell.tokens) };
}

describe("calibrate", () => {
  it("recovers what was injected, and decides its side of the limit", async () => {
    for (const [injected, verdict] of [
      [0.01, "upheld"],
      [0.1, "refuted"],
    ] as const) {
      const points = calibrate([await cellWith(injected, injected)]);
      expect(points.map(({ treatment }) => treatment)).toEqual(["stream", "streamAsync"]);
      for (const point of points) {
        expect(point).toMatchObject({ injectedFraction: injected, recovered: true, limit: 0.05 });
        expect(point.verdicts).toEqual({
          upheld: 0,
          refuted: 0,
          inconclusive: 0,
          void: 0,
          [verdict]: 3,
        });
      }
    }
  });

  it("says so when the estimate is not what was injected", async () => {
    const [point] = calibrate([await cellWith(0.03, 0.05)]);
    expect(point).toMatchObject({ recovered: false, injectedFraction: 0.03 });
    expect(point?.overhead.mean.value).toBeCloseTo(0.05, 9);
  });

  it("counts experiments that were too noisy to decide", async () => {
    const [point] = calibrate([await cellWith(0.01, 0.01, 0.4)]);
    const { inconclusive = 0, void: unfit = 0, refuted } = point?.verdicts ?? {};
    expect(inconclusive + unfit).toBeGreaterThan(0);
    expect(refuted).toBe(0);
  });

  it("has nothing to say of ordinary cells", async () => {
    const { injectedFraction, ...plain } = await cellWith(0.01, 0.01);
    expect(calibrate([plain])).toEqual([]);
  });
});

describe("the calibration preset", () => {
  it("has a generator and a cell for each delay", () => {
    const planned = select(calibrationPreset, {}).map(({ generator, cells }) => [
      generator.injectedFraction,
      ...cells.map((cell) => cell.injectedFraction),
    ]);
    expect(planned).toEqual(injectedFractions.map((fraction) => [fraction, fraction]));
  });

  it("leaves a record with the operating characteristic", async () => {
    const record = await inTemporaryFolder(async (outputFolder) => {
      const clock = new ManualClock();
      const { record: made } = await runBench({
        // In this process, where the clock is made up.
        preset: { ...calibrationPreset, lookAtProcesses: [1] },
        blocks: 12,
        seed: 1,
        claims: [],
        clock,
        outputFolder,
        openGenerator: ({ injectedFraction = 0 }) =>
          Promise.resolve({
            ...createFakeGenerator({
              clock,
              tokenNanoseconds: (mode) => 1e6 * (mode === "generate" ? 1 : 1 + injectedFraction),
            }),
            describe: () => null,
            close: () => Promise.resolve(),
          }),
      });
      return parseRecord(JSON.parse(JSON.stringify(made)));
    });
    expect(record.calibration).toHaveLength(2 * injectedFractions.length);
    expect(record.calibration?.every(({ recovered }) => recovered)).toBe(true);
  });
});
