// Holds the default threads against those that are best by hand, and keeps every sample:
//   node scripts/defaults/measure.mjs results/<name>               # six blocks: some 30 minutes
//   node scripts/defaults/measure.mjs results/<name> --blocks 12
//   node scripts/defaults/measure.mjs results/<name> pequod 135M-q4
// and prints the table, and the numbers for packages/runtime/src/threads/thread-rule.ts, of a record:
//   node scripts/defaults/measure.mjs --show results/<name>
// Nothing else may run meanwhile. Build first: pnpm turbo build build:model.
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startBusyCore } from "../../packages/bench/dist/scenarios/engine/busy-core.js";
import { buildModels, modelNames } from "./models.mjs";
import { equalSettings, measureGroup } from "./cells.mjs";
import { timeLoads } from "./loads.mjs";
import { describeRecord } from "./show.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const recordFile = "defaults.json";
// The best by hand is found in one half of the blocks, and compared in the other.
const leastBlocks = 2;
const workerCounts = [1, 2];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    blocks: { type: "string", default: "6" },
    show: { type: "boolean" },
  },
});
const [folder, ...names] = positionals;
if (folder === undefined) throw new Error("Give the folder of the record: results/<name>.");
if (values.show === true) await show();
else await measure();

async function show() {
  const record = JSON.parse(await readFile(join(folder, recordFile), "utf8"));
  process.stdout.write(`${describeRecord(record)}\n`);
}

async function measure() {
  const blocks = Number(values.blocks);
  if (!Number.isInteger(blocks) || blocks < leastBlocks) {
    throw new Error(`--blocks must be a number from ${leastBlocks} on.`);
  }
  const unknown = names.find((name) => !modelNames.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${modelNames.join(", ")}.`);
  const startedAt = performance.now();
  const workshop = await mkdtemp(join(tmpdir(), "streamgauge-defaults-"));
  // Models of a gigabyte in all; what is interrupted leaves none of them.
  for (const [signal, exitCode] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ]) {
    process.once(signal, () => {
      rmSync(workshop, { recursive: true, force: true });
      process.exit(exitCode);
    });
  }
  // The machine's own cache is left alone, and the first opening measures as it does for a user.
  process.env.STREAMGAUGE_CACHE_DIR = join(workshop, "cache");
  process.env.STREAMGAUGE_TUNING = "keep";
  const busyCore = startBusyCore();
  try {
    const say = (text) => {
      const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
      process.stderr.write(`${minutes} min: ${text}\n`);
    };
    const models = await buildModels(workshop, names.length === 0 ? modelNames : names, say);
    const record = {
      schema: "streamgauge/defaults",
      startedAt: new Date().toISOString(),
      environment: await describeEnvironment(),
      settings: settingsByHand(),
      equal: equalSettings(availableParallelism()),
      loads: [],
      groups: [],
    };
    await mkdir(folder, { recursive: true });
    const save = () =>
      writeFile(join(folder, recordFile), `${JSON.stringify(record, undefined, 1)}\n`);
    record.loads = await timeLoads(models, workshop, say);
    await save();
    const { settings, equal } = record;
    for (const model of models) {
      for (const workers of workerCounts) {
        const group = { model, workers, settings, equal, blocks, busyCore, say };
        record.groups.push(await measureGroup(group));
        await save();
      }
    }
    process.stdout.write(`${describeRecord(record)}\n`);
  } finally {
    await busyCore.close();
    await rm(workshop, { recursive: true, force: true });
  }
}

/** One thread; all cores and half of them, sleeping, and spinning as briefly as by default and longer. */
function settingsByHand() {
  const cores = availableParallelism();
  const counts = [...new Set([1, Math.ceil(cores / 2), cores])];
  return counts.flatMap((threads) =>
    (threads === 1 ? [0] : [0, 5, 50]).map((spinMicroseconds) => ({ threads, spinMicroseconds })),
  );
}

async function describeEnvironment() {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const runtime = JSON.parse(await readFile(join(root, "packages/runtime/package.json"), "utf8"));
  return {
    cpuModel: cpus()[0]?.model.trim(),
    logicalCores: availableParallelism(),
    memoryBytes: totalmem(),
    operatingSystem: `${type()} ${release()} ${process.arch}`,
    nodeVersion: process.versions.node,
    runtimeVersion: runtime.version,
    git: { commit: git("rev-parse", "HEAD"), dirty: git("status", "--porcelain") !== "" },
  };
}
