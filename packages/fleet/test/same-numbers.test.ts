import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ResultRecord } from "@streamgauge/bench";
import { readRecordFile } from "@streamgauge/bench/record-file";
import { coordinate } from "@streamgauge/fleet";
import { expect, it } from "vitest";
import { expectWhole, inTemporaryFolder, rawBlocksOf, tinyRun } from "./fleet-run.js";
import { coordinatorTimings, knownSamples, startAgent } from "./processes.js";
import { startRedis } from "./redis-server.js";

/** All that was measured, without when, where, and the hash of samples that name their run. */
function measured({ cells, generators, claims, mainThread, plan, seed, profile }: ResultRecord) {
  return {
    cells: cells.map(({ rawSamples, ...cell }) => ({ ...cell, hasSamples: rawSamples !== null })),
    generators,
    claims,
    mainThread,
    plan,
    seed,
    profile,
  };
}

it("a run on three agents has the numbers of the same parts in sequence on one machine", async () => {
  const redis = await startRedis();
  const agents = ["one", "two", "three"].map((machine) =>
    startAgent({ redis: redis.url, label: "lab", machine, execArgv: knownSamples }),
  );
  try {
    await inTemporaryFolder(async (folder) => {
      const alone = join(folder, "alone");
      const reference = fileURLToPath(new URL("reference.mjs", import.meta.url));
      const options = JSON.stringify({ ...tinyRun, outputFolder: alone });
      await promisify(execFile)(process.execPath, [...knownSamples, reference, options]);

      const outputFolder = join(folder, "fleet");
      const outcome = await coordinate(
        { ...tinyRun, outputFolder },
        { redis: redis.url, agents: 3, timings: coordinatorTimings },
      );
      const [only, ...others] = outcome.classes;
      expect(others).toEqual([]);
      const together = join(outputFolder, only?.machineClass ?? "");
      const record = await expectWhole(together);
      const expected = await readRecordFile(alone);
      expect(measured(record)).toEqual(measured(expected));
      // The recorded distributions among them, which are histograms of all machines together.
      expect(record.cells[0]?.distributions.length).toBeGreaterThan(0);
      expect(await rawBlocksOf(record, together)).toEqual(await rawBlocksOf(expected, alone));
      expect(outcome.missing).toEqual([]);
      expect(only).toMatchObject({ label: "lab", missing: [] });
    });
  } finally {
    await Promise.all(agents.map((agent) => agent.kill()));
    await redis.remove();
  }
});
