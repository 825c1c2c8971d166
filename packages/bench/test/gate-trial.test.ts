import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readTrials, trialRows } from "@streamgauge/bench/gate";
import { renderTrial, summarizeTrial } from "../src/gate/gate-trial.js";
import { gateWork } from "../src/gate/gate-work.js";
import type { GateOutcome } from "../src/gate/run-gate.js";
import { trialJson } from "../src/gate/trial-file.js";
import type { GateVerdict } from "../src/gate/verdict.js";
import { binomialInterval95 } from "../src/statistics/index.js";
import { inTemporaryFolder } from "./example-record.js";

const asyncTime = "generateStreamAsync, time per token";

/** A gate that came out so, on one metric. */
function outcome(
  slowdown: number,
  verdict: GateVerdict,
  rest: Partial<GateOutcome> = {},
  metric: string = asyncTime,
): GateOutcome {
  return {
    slowdown,
    verdict,
    threshold: 0.05,
    work: gateWork("paced", { seed: 1, stepMicroseconds: 100 }),
    seed: 1,
    pairs: 8,
    interrupted: false,
    outputsDiffer: false,
    seconds: 10,
    metrics: [
      {
        metric,
        verdict,
        level: "blocks",
        blocks: 2,
        change: null,
        baseMicroseconds: 1,
        headMicroseconds: 1,
        logRatios: [[0.0123456789, -0.0000123456789]],
      },
    ],
    ...rest,
  };
}

describe("a trial of the gate", () => {
  const rows = summarizeTrial([
    outcome(0, "none"),
    outcome(0, "none"),
    outcome(0, "inconclusive"),
    outcome(0, "regression"),
    outcome(0.1, "regression"),
    outcome(0.1, "regression", {}, "generate, time per token"),
  ]);

  it("counts verdicts, catches and false alarms by slowdown", () => {
    expect(rows).toEqual([
      {
        slowdown: 0,
        runs: 4,
        verdicts: { none: 2, regression: 1, inconclusive: 1 },
        falseAlarms: 1,
        falseAlarmInterval95: binomialInterval95(1, 4),
        caught: 0,
        caughtInterval95: null,
        secondsPerRun: 10,
      },
      {
        slowdown: 0.1,
        runs: 2,
        verdicts: { none: 0, regression: 2, inconclusive: 0 },
        falseAlarms: 1,
        falseAlarmInterval95: binomialInterval95(1, 2),
        caught: 1,
        caughtInterval95: binomialInterval95(1, 2),
        secondsPerRun: 10,
      },
    ]);
  });

  it("is a table with the intervals of its shares", () => {
    const text = renderTrial(rows, { unicode: true });
    expect(text).toMatch(/10 % +│ 2 +│ 2 \(100 %\)/);
    expect(trialRows(rows)[0]).toContain("1 (25 %, 1 to 81 %)");
    expect(renderTrial(rows, { unicode: false })).toMatch(/^[\n -~]*$/);
  });
});

describe("trials that were committed", () => {
  async function inResults(
    files: Readonly<Record<string, readonly GateOutcome[] | string>>,
    check: (results: string) => Promise<void>,
  ): Promise<void> {
    await inTemporaryFolder(async (results) => {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(join(results, name, ".."), { recursive: true });
        const text = typeof content === "string" ? content : trialJson(content);
        await writeFile(join(results, name), text);
      }
      await check(results);
    });
  }

  it("of the newest folder add up", async () => {
    const files = {
      "2026-11-24-gate-self-test/trial-1.json": [outcome(0, "regression")],
      "2026-11-25-gate-self-test/trial-1.json": [outcome(0, "none"), outcome(0.1, "regression")],
      // The same seed, and yet another run.
      "2026-11-25-gate-self-test/trial-2.json": [outcome(0, "none", { seconds: 11 })],
      "2026-11-25-quick/record.json": "{}",
    };
    await inResults(files, async (results) => {
      const trials = await readTrials(results);
      expect(trials).toMatchObject({
        files: ["2026-11-25-gate-self-test/trial-1.json", "2026-11-25-gate-self-test/trial-2.json"],
        threshold: 0.05,
        work: { engine: "paced", stepMicroseconds: 100, pairs: 8 },
      });
      expect(trials?.rows.map(({ slowdown, runs, caught }) => [slowdown, runs, caught])).toEqual([
        [0, 2, 0],
        [0.1, 1, 1],
      ]);
    });
  });

  it("may not be there", async () => {
    await inResults({}, async (results) => {
      expect(await readTrials(results)).toBeUndefined();
      expect(await readTrials(join(results, "none"))).toBeUndefined();
    });
  });

  it.each([
    ["the same file twice", [outcome(0, "none")], "a gate that trial-1.json has too"],
    ["another threshold", [outcome(0, "none", { threshold: 0.1 })], "of other work"],
    ["a broken file", "{", "trial-2.json is not what `gate --self-test --json` writes"],
    ["another file", "{}", "schema"],
  ])("are not added up with %s", async (_, second, reason) => {
    const folder = "2026-11-25-gate-self-test";
    const files = {
      [`${folder}/trial-1.json`]: [outcome(0, "none")],
      [`${folder}/trial-2.json`]: second,
    };
    await inResults(files, async (results) => {
      await expect(readTrials(results)).rejects.toMatchObject({
        code: "INVALID_RECORD",
        message: expect.stringContaining(reason),
      });
    });
  });

  it("are short: ratios have few digits", () => {
    expect(trialJson([outcome(0, "none")])).toContain("[[0.01235,-0.00001235]]");
  });
});
