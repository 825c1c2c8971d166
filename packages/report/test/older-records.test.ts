import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { fixtureRecord } from "./fixture.js";

const bin = fileURLToPath(new URL("../bin/streamgauge-report.js", import.meta.url));

/** What versions brought to a record as a whole. */
const wholes = {
  2: "calibration",
  3: "plan arrivals aborts slowConsumers transports engine profiles failedMeasurements",
};
/** And to its parts. */
const parts = {
  2: "rawSamples",
  3:
    "processes process level look tails net stolenCpuFraction course callbackNanoseconds " +
    "callbackMicrosecondsPerToken",
};

/** A record as an earlier version of the schema would have it. */
function asVersion(version: 1 | 2, { claims, ...record }: ResultRecord): string {
  const later = ({ 2: second, 3: third }: typeof wholes): string[] =>
    (version === 1 ? `${second} ${third}` : third).split(" ");
  const whole = Object.entries(record).filter(([field]) => !later(wholes).includes(field));
  const metrics = version === 1 ? ["overhead"] : ["overhead", "absoluteCost"];
  const known = claims.filter(({ metric }) => metrics.includes(metric));
  return JSON.stringify({ ...Object.fromEntries(whole), version, claims: known }, (field, value) =>
    later(parts).includes(field) ? undefined : (value as unknown),
  );
}

let record: ResultRecord;
let workspace: string;
beforeAll(async () => {
  record = await fixtureRecord();
});
beforeEach(async () => {
  workspace = await mkdtemp(join(tmpdir(), "streamgauge-older-"));
});
afterEach(async () => {
  await rm(workspace, { recursive: true });
});

function report(...flags: string[]) {
  return new Promise<{ code: number; stderr: string }>((resolve) => {
    execFile(process.execPath, [bin, ...flags], { cwd: workspace }, (error, _, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stderr });
    });
  });
}

/** What each way of rendering writes. */
const ways: readonly (readonly [file: string, flags: readonly string[], shown: RegExp])[] = [
  ["BENCHMARKS.md", [], /^## Verdicts\n\n\| .*pequod/ms],
  ["page.html", ["--html", "page.html"], /<caption>Claims, with .*pequod-pooled-10/s],
  ["claims.xml", ["export", "--format", "junit", "--out", "claims.xml"], /<testcase /],
];

describe.each(ways)(
  "%s of a record of another version",
  { timeout: 60_000 },
  (file, flags, shown) => {
    it.each([1, 2] as const)("is rendered from version %i", async (version) => {
      await writeFile(join(workspace, "record.json"), asVersion(version, record));
      const { code, stderr } = await report(...flags, "--record", "record.json");
      expect({ code, stderr }).toEqual({
        code: 0,
        stderr: expect.stringContaining(`Wrote ${file}`),
      });
      expect(await readFile(join(workspace, file), "utf8")).toMatch(shown);
    });

    it.each([0, 4])("is refused from version %i, with what to do", async (version) => {
      await writeFile(join(workspace, "record.json"), JSON.stringify({ ...record, version }));
      const { code, stderr } = await report(...flags, "--record", "record.json");
      expect(code).toBe(1);
      expect(stderr).toBe(
        `INVALID_RECORD: record.json: The record has version ${version}, and this streamgauge reads ` +
          "versions 1, 2 and 3. Read it with the streamgauge that wrote it, or run the bench again.\n",
      );
      expect(await readdir(workspace)).toEqual(["record.json"]);
    });
  },
);
