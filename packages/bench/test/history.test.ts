import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { addToHistory, readHistories } from "../src/history/history-file.js";
import {
  historyLineOf,
  parseHistoryLine,
  readMetricName,
  type HistoryLine,
} from "../src/history/history-line.js";
import { renderHistory } from "../src/history/history-summary.js";
import { machineClass } from "../src/record/machine-class.js";
import { sparkline } from "../src/history/sparkline.js";
import { trendsOf } from "../src/history/trends.js";
import type { ResultRecord } from "../src/record/index.js";
import { exampleRecord, inTemporaryFolder } from "./example-record.js";

function line(index: number, value = 100, rest: Partial<HistoryLine> = {}): HistoryLine {
  return {
    version: 1,
    commit: index.toString(16).padStart(40, "0"),
    measuredAt: "2026-11-25T04:00:43.680Z",
    machine: "a-cpu",
    runId: `run-${index}`,
    profile: "quick",
    metrics: { "cell stream µs/token": value },
    ...rest,
  };
}

async function cleanRecord(): Promise<ResultRecord> {
  const record = await exampleRecord();
  const git = { commit: "a".repeat(40), dirty: false };
  return { ...record, environment: { ...record.environment, git } };
}

it("has no value of a metric where only objects in general have its name", () => {
  const lines = [line(0), line(1, 100, { metrics: { constructor: 3 } })];
  const [trend] = trendsOf({ machine: "a-cpu", lines }).filter(
    ({ metric }) => metric === "constructor",
  );
  expect(trend?.points).toEqual([{ commit: line(1).commit, value: 3 }]);
});

describe("a machine class", () => {
  const machine = {
    cpuModel: "Intel(R) Xeon(R) CPU @ 2.20GHz",
    logicalCores: 4,
    operatingSystem: "Linux 6.18.44 x64",
    nodeVersion: "20.20.2",
  };

  it("names model, cores, platform and the major version of Node", () => {
    expect(machineClass(machine)).toBe("intel-xeon-cpu-2-20ghz-4-cores-linux-x64-node20");
  });

  it("is the same after updates, and another on another machine", () => {
    const own = machineClass(machine);
    const updated = { ...machine, operatingSystem: "Linux 6.19.1 x64", nodeVersion: "20.21.0" };
    expect(machineClass(updated)).toBe(own);
    for (const other of [
      { cpuModel: "AMD EPYC" },
      { logicalCores: 2 },
      { operatingSystem: "Linux 6.18.44 arm64" },
      { operatingSystem: "Darwin 6.18.44 x64" },
      { nodeVersion: "22.1.0" },
    ]) {
      expect(machineClass({ ...machine, ...other })).not.toBe(own);
    }
  });
});

describe("a line of a history", () => {
  it("has the times of a record's modes, in few digits, and reads back", async () => {
    const record = await cleanRecord();
    const made = historyLineOf(record);
    const id = record.cells[0]!.id;
    expect(made.metrics[`${id} generate µs/token`]).toBeCloseTo(100, 0);
    expect(made.metrics[`${id} streamAsync µs/token`]).toBeCloseTo(120, 0);
    expect(made.metrics[`${id} streamAsync overhead %`]).toBeCloseTo(20, 0);
    expect(made.metrics[`${id} stream time to first token µs`]).toBeGreaterThan(0);
    expect(parseHistoryLine(JSON.stringify(made))).toEqual(made);
    expect(JSON.stringify(made)).not.toContain("\n");
  });

  it("has names that can be taken apart", async () => {
    const record = await cleanRecord();
    const names = Object.keys(historyLineOf(record).metrics);
    expect(names.map((name) => readMetricName(name)?.cell)).toEqual(
      names.map(() => record.cells[0]!.id),
    );
    expect(readMetricName("a stream of its own streamAsync overhead %")).toEqual({
      cell: "a stream of its own",
      treatment: "streamAsync",
      quantity: "overhead %",
    });
    expect(readMetricName("something else")).toBeUndefined();
  });

  it("is not made of a record without a time", async () => {
    const record = await cleanRecord();
    expect(() => historyLineOf({ ...record, cells: [] })).toThrow("nothing that a history keeps");
  });

  it("is not made of what is unfinished or of no commit", async () => {
    const record = await cleanRecord();
    const { environment } = record;
    const withGit = (git: typeof environment.git) => ({
      ...record,
      environment: { ...environment, git },
    });
    expect(() => historyLineOf({ ...record, status: "interrupted" })).toThrow("--resume");
    expect(() => historyLineOf(withGit(null))).toThrow("git repository");
    expect(() => historyLineOf(withGit({ commit: "a".repeat(40), dirty: true }))).toThrow(
      "uncommitted",
    );
  });
});

describe("a history", () => {
  it("keeps one line for each commit, however often it is added", async () => {
    await inTemporaryFolder(async (folder) => {
      const first = await addToHistory(folder, line(1));
      expect(first.added).toBe(true);
      expect((await addToHistory(folder, line(2))).added).toBe(true);
      const text = await readFile(first.path, "utf8");
      expect((await addToHistory(folder, line(1, 999))).added).toBe(false);
      expect(await readFile(first.path, "utf8")).toBe(text);
      expect(await readHistories(folder)).toEqual([
        { machine: "a-cpu", lines: [line(1), line(2)] },
      ]);
      expect(await readdir(folder)).toEqual(["a-cpu.jsonl"]);
    });
  });

  it("never mixes machines", async () => {
    await inTemporaryFolder(async (folder) => {
      await addToHistory(folder, line(1));
      await addToHistory(folder, line(1, 50, { machine: "b-cpu" }));
      const histories = await readHistories(folder);
      expect(histories.map(({ machine, lines }) => [machine, lines.length])).toEqual([
        ["a-cpu", 1],
        ["b-cpu", 1],
      ]);
    });
  });

  it("is empty where there is no folder", async () => {
    await inTemporaryFolder(async (folder) => {
      expect(await readHistories(join(folder, "none"))).toEqual([]);
    });
  });

  it.each([
    ["half a line", `{"version":1,"com`, "is not JSON"],
    ["a field that is missing", JSON.stringify({ ...line(2), runId: undefined }), `"runId"`],
    ["a field too many", JSON.stringify({ ...line(2), more: 1 }), "more"],
    ["a number that is none", JSON.stringify(line(2)).replace(":100", ":null"), "metrics"],
    ["a short commit", JSON.stringify({ ...line(2), commit: "abc" }), "full commit hash"],
    ["a later version", JSON.stringify({ ...line(2), version: 2 }), `"version"`],
    ["another machine", JSON.stringify(line(2, 1, { machine: "b-cpu" })), `"b-cpu"`],
    ["a commit twice", JSON.stringify(line(1)), "same commit as line 1"],
  ])("refuses %s by its line number, and adds nothing to it", async (_, bad, reason) => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "a-cpu.jsonl");
      const text = `${JSON.stringify(line(1))}\n${bad}\n`;
      await writeFile(path, text);
      const refusal = {
        code: "INVALID_RECORD",
        message: expect.stringMatching(/a-cpu\.jsonl, line 2: /),
      };
      await expect(readHistories(folder)).rejects.toMatchObject(refusal);
      await expect(readHistories(folder)).rejects.toThrow(reason);
      await expect(addToHistory(folder, line(3))).rejects.toMatchObject(refusal);
      expect(await readFile(path, "utf8")).toBe(text);
    });
  });
});

describe("trends", () => {
  const lines = Array.from({ length: 24 }, (_, index) =>
    line(index, (index < 14 ? 100 : 110) + (index % 3)),
  );

  it("name the commit from which on a metric was another", () => {
    const [trend] = trendsOf({ machine: "a-cpu", lines });
    expect(trend?.changes).toMatchObject([
      { commit: line(14).commit, index: 14, before: 101, after: 111 },
    ]);
    const text = renderHistory("a-cpu", [trend!], { unicode: true });
    expect(text).toContain("a-cpu: 24 commits");
    expect(text).toContain("changed at 000000000: 101 → 111 (+9.9 %)");
    expect(renderHistory("a-cpu", [trend!], { unicode: false })).toMatch(/^[\n -~]*$/);
  });

  it("leave out commits without the metric", () => {
    const some = lines.map((each, index) => (index % 2 ? each : { ...each, metrics: {} }));
    const [trend] = trendsOf({ machine: "a-cpu", lines: some });
    expect(trend?.points).toHaveLength(12);
    expect(trend?.changes).toMatchObject([{ commit: line(15).commit, index: 7 }]);
  });
});

describe("a sparkline", () => {
  it("goes from the lowest to the highest", () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], { unicode: true })).toBe("▁▂▃▄▅▆▇█");
    expect(sparkline([7, 0, 7], { unicode: false })).toBe("#_#".replaceAll("#", "@"));
    expect(sparkline([5, 5], { unicode: true })).toBe("▁▁");
    expect(sparkline([], { unicode: true })).toBe("");
  });

  it("shows the last values", () => {
    expect(sparkline([9, 0, 1], { unicode: true, width: 2 })).toBe("▁█");
  });
});
