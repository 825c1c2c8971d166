import { describe, expect, it } from "vitest";
import { fewestCommits, type HistoryLine, type MachineHistory } from "@streamgauge/bench/history";
import { historyTrends, renderSvg } from "@streamgauge/report";
import { everything, fixtureRecord } from "./fixture.js";

/** A history in which a cell took so long at each commit, and another was measured last. */
function history(machine: string, times: readonly number[]): MachineHistory {
  const lines = times.map((time, index): HistoryLine => ({
    version: 1,
    commit: index.toString(16).padStart(7, "0").padEnd(40, "f"),
    measuredAt: `2026-11-${String(index + 1).padStart(2, "0")}T04:00:00.000Z`,
    machine,
    runId: `run-${index}`,
    profile: "standard",
    metrics: {
      "pequod-pooled-100 generate µs/token": time,
      "pequod-pooled-100 streamAsync µs/token": time * 1.1,
      "pequod-pooled-100 streamAsync overhead %": 10,
      ...(index === times.length - 1 ? { "paced-10 stream µs/token": 7 } : {}),
    },
  }));
  return { machine, lines };
}

/** Around a level, a little different each time. */
function around(level: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => level + (index % 3));
}

describe("the chart of a history", () => {
  it("is one for each class of machines", async () => {
    const charts = historyTrends([history("a-cpu", [500, 510]), history("b-cpu", [90])]);
    expect(charts.map(({ name }) => name)).toEqual(["history-a-cpu", "history-b-cpu"]);
    const [first = "", second = ""] = await Promise.all(charts.map(renderSvg));
    expect(first).toContain("11-02 0000001: 510 µs per token");
    expect(first).not.toContain("90 µs per token");
    expect(second).not.toContain("510 µs per token");
    expect(historyTrends([{ machine: "c-cpu", lines: [] }])).toEqual([]);
  });

  it("says that there are too few commits, and joins no points then", async () => {
    const [chart] = historyTrends([history("a-cpu", [500, 510])]);
    expect(chart?.description).toContain("2 commits, oldest first. Too few to find a change");
    expect(chart?.description).toContain("generate, pequod-pooled-100: 500 → 510");
    const svg = await renderSvg(chart!);
    expect(svg).toContain("Too few commits");
    expect(svg).not.toContain("line mark container");
    expect(svg).toContain("prefers-color-scheme:dark");
    expect(Number(/ width="(\d+)"/.exec(svg)?.[1])).toBeLessThan(500);
  });

  it("marks the commits from which on a time was another", async () => {
    const steady = historyTrends([history("a-cpu", around(500, 2 * fewestCommits))])[0]!;
    expect(steady.description).toContain("No change was found.");
    expect(await renderSvg(steady)).not.toContain("stroke-dasharray");
    const times = [...around(500, fewestCommits), ...around(600, fewestCommits)];
    const changed = historyTrends([history("a-cpu", times)])[0]!;
    expect(changed.description).toMatch(/changed from 501 to 601 \(p = 0\.\d+\)/);
    const svg = await renderSvg(changed);
    expect(svg).toContain("line mark container");
    expect(svg.match(/stroke-dasharray/g)?.length).toBe(2);
  });

  it("has a panel for each cell, those of most commits first", async () => {
    const times = around(500, fewestCommits);
    const svg = await renderSvg(historyTrends([history("a-cpu", times)])[0]!);
    const [often, once] = [">pequod-pooled-100<", ">paced-10<"].map((text) => svg.indexOf(text));
    expect(often).toBeGreaterThan(0);
    expect(once).toBeGreaterThan(often!);
  });

  it("has one panel for a few commits, and the name of each commit", async () => {
    const svg = await renderSvg(historyTrends([history("a-cpu", [500, 510, 505])])[0]!);
    expect(svg).toContain(">pequod-pooled-100<");
    expect(svg).not.toContain(">paced-10<");
    expect(svg.match(/>11-0\d 000000\d</g)).toHaveLength(3);
  });
});

describe("a document beside which results were committed", () => {
  it("shows the history and the gate's trials, and nothing of them where there are none", async () => {
    const record = await fixtureRecord();
    const alone = everything(record);
    expect(alone).not.toMatch(/## History|## The gate/);
    expect(everything(record, { histories: [], gateTrials: undefined })).toBe(alone);
    const text = everything(record, {
      histories: [history("a-cpu", [500, 510])],
      gateTrials: {
        files: ["2026-11-25-gate-self-test/trial-1.json"],
        threshold: 0.05,
        work: { engine: "paced", stepMicroseconds: 100, tokens: 32, generations: 8, pairs: 8 },
        rows: [
          {
            slowdown: 0.1,
            runs: 20,
            verdicts: { none: 0, regression: 19, inconclusive: 1 },
            falseAlarms: 0,
            falseAlarmInterval95: { lower: 0, upper: 0.168 },
            caught: 19,
            caughtInterval95: { lower: 0.751, upper: 0.999 },
            secondsPerRun: 23.1,
          },
        ],
      },
    });
    expect(text).toContain("](../../../docs/charts/history-a-cpu.svg)");
    expect(text).toContain("with a threshold of 5.0 %, on the paced engine at 100 µs per token");
    expect(text).toContain("| 10 % | 20 | 19 (95 %) |");
    expect(text).toContain("19 (95 %, 75 to 100 %)");
  });
});
