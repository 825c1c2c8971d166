import { describe, expect, it } from "vitest";
import { describeProgress, linesOn } from "../src/terminal/progress-display.js";
import type { BenchProgress } from "../src/run/progress.js";

function progress(subject: string, block: number): BenchProgress {
  return {
    phase: "measure",
    subject,
    block,
    blocks: 40,
    fractionDone: block / 80,
    secondsLeft: 75 - block,
  };
}

describe("linesOn", () => {
  it("writes a line for each new subject, and one every five seconds", () => {
    const written: string[] = [];
    let now = 0;
    const display = linesOn(
      { write: (text: unknown) => written.push(String(text)) > 0 },
      () => now,
      describeProgress,
    );
    for (let block = 0; block < 12; block += 1) {
      display.update(progress("first", block));
      now += 1000;
    }
    display.update(progress("second", 12));
    expect(written).toEqual([
      "  0 %  first: block 0 of 40, 1 min 15 s left\n",
      "  6 %  first: block 5 of 40, 1 min 10 s left\n",
      " 12 %  first: block 10 of 40, 1 min 5 s left\n",
      " 15 %  second: block 12 of 40, 1 min 3 s left\n",
    ]);
  });
});
