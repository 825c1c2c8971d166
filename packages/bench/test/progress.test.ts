import { describe, expect, it } from "vitest";
import { ProgressTracker, overAllProcesses } from "../src/run/progress.js";
import { ManualClock } from "./fake-generator.js";
import { cellPlan, stageOfCells } from "./plans.js";

/** Eight blocks of a second and five to warm up: 13 s; twice, and 1.2 s of main thread. */
const plans = [cellPlan({ id: "a" }), cellPlan({ id: "b" })] as const;

function start() {
  const clock = new ManualClock();
  return { clock, tracker: new ProgressTracker(clock, [stageOfCells(...plans)]) };
}

describe("the time left", () => {
  it("is unknown until something is done", () => {
    expect(start().tracker.inCell("warm-up", plans[0], 0).secondsLeft).toBeUndefined();
  });

  it("is the plan's when the machine is as fast as expected", () => {
    const { clock, tracker } = start();
    clock.advance(6e9);
    const progress = tracker.inCell("measure", plans[0], 1);
    expect(progress.secondsLeft).toBeCloseTo(26 + 1.2 - 6, 6);
    expect(progress.fractionDone).toBeCloseTo(6 / 27.2, 6);
  });

  it("doubles on a machine that is half as fast", () => {
    const { clock, tracker } = start();
    clock.advance(12e9);
    expect(tracker.inCell("measure", plans[0], 1).secondsLeft).toBeCloseTo(2 * 21.2, 6);
  });

  it("counts a cell with its time budget at most", () => {
    const { clock } = start();
    const short = cellPlan({ id: "b", timeBudgetSeconds: 3 });
    const tracker = new ProgressTracker(clock, [stageOfCells(plans[0], short)]);
    clock.advance(13e9);
    tracker.cellEnded(plans[0], 8);
    expect(tracker.inCell("warm-up", short, 0).secondsLeft).toBeCloseTo(5 + 3 + 1.2, 6);
  });

  it("is nothing when all is done", () => {
    const { clock, tracker } = start();
    clock.advance(30e9);
    for (const plan of plans) tracker.cellEnded(plan, 8);
    for (const plan of stageOfCells().measurements) tracker.measurementEnded(plan);
    const progress = tracker.at("open", "the end");
    expect(progress).toMatchObject({ secondsLeft: 0, fractionDone: 1 });
  });
});

describe("the time left of several processes", () => {
  const where = { phase: "measure", subject: "a", block: 1, blocks: 8 } as const;

  it("counts later ones by what is expected of each, as slow as this one", () => {
    const progress = { ...where, fractionDone: 0.5, secondsLeft: 100 };
    const overAll = overAllProcesses(progress, 0, [100, 20, 30]);
    expect(overAll).toMatchObject({ secondsLeft: 200, process: { index: 0, count: 3 } });
    expect(overAll.fractionDone).toBeCloseTo(50 / 150, 6);
  });

  it("is unknown where this one's is", () => {
    const progress = { ...where, fractionDone: 0, secondsLeft: undefined };
    const overAll = overAllProcesses(progress, 1, [100, 20, 30]);
    expect(overAll.secondsLeft).toBeUndefined();
    expect(overAll.fractionDone).toBeCloseTo(100 / 150, 6);
  });

  it("is nothing at the end of the last", () => {
    const progress = { ...where, fractionDone: 1, secondsLeft: 0 };
    expect(overAllProcesses(progress, 2, [100, 20, 30])).toMatchObject({
      fractionDone: 1,
      secondsLeft: 0,
    });
  });
});
