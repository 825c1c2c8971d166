// Holds the default threads against those that are best by hand, and keeps every sample:
//   node scripts/defaults/measure.mjs results/<name>                 # some 25 minutes, two rounds
//   node scripts/defaults/measure.mjs results/<name> --minutes 60    # as many rounds as fit into these
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
import { startBusyCore } from "./busy-core.mjs";
import { buildModels, modelNames } from "./models.mjs";
import { describeDefault, runCells } from "./cells.mjs";
import { timeLoads } from "./loads.mjs";
import { equalSettings, runPeer } from "./peer.mjs";
import { settingName } from "./setting-name.mjs";
import { describeRecord } from "./show.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const recordFile = "defaults.json";
const leastRounds = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: "string", default: "25" },
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
  const budgetMilliseconds = Number(values.minutes) * 60_000;
  if (!(budgetMilliseconds > 0)) throw new Error("--minutes must be a number above 0.");
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
    const say = (text) => process.stderr.write(`${text}\n`);
    const models = await buildModels(workshop, names.length === 0 ? modelNames : names, say);
    const record = {
      schema: "streamgauge/defaults",
      startedAt: new Date().toISOString(),
      environment: await describeEnvironment(),
      settings: settingsByHand(),
      equal: equalSettings(availableParallelism()),
      loads: [],
      defaults: [],
      openings: [],
      peers: [],
    };
    await mkdir(folder, { recursive: true });
    const save = () =>
      writeFile(join(folder, recordFile), `${JSON.stringify(record, undefined, 1)}\n`);
    record.loads = await timeLoads(models, workshop, say);
    await save();
    await runRounds({ record, models, busyCore, startedAt, budgetMilliseconds, say, save });
    process.stdout.write(`${describeRecord(record)}\n`);
  } finally {
    await busyCore.close();
    await rm(workshop, { recursive: true, force: true });
  }
}

/** Rounds of all models while another one fits into the time, and two in any case. */
async function runRounds({ record, models, busyCore, startedAt, budgetMilliseconds, say, save }) {
  let longest = 0;
  for (let round = 0; ; round += 1) {
    const roundAt = performance.now();
    if (round >= leastRounds && roundAt - startedAt + longest > budgetMilliseconds) return;
    const told = (what) => {
      const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
      say(`${minutes} min, round ${round + 1}: ${what}`);
    };
    for (const model of models) {
      for (const run of runsOf({ record, model, round, busyCore, told })) await run();
      await save();
    }
    longest = Math.max(longest, performance.now() - roundAt);
  }
}

/** What is run of a model in a round, in an order that turns from round to round. */
function runsOf({ record, model, round, busyCore, told }) {
  const open = async (workers, settings) => {
    told(`${model.name}, ${workers} worker(s), ${settingName(settings)}`);
    const opened = await runCells(model, workers, settings, busyCore);
    record.openings.push({ round, model: model.name, workers, ...opened });
  };
  const ours = (workers) => [
    async () => {
      told(`${model.name}, ${workers} worker(s), what is the default`);
      const chosen = await describeDefault(model, workers);
      record.defaults.push({ round, model: model.name, workers, ...chosen });
      const isByHand = record.settings.some((one) => settingName(one) === settingName(chosen));
      // Those by hand are run below, whatever the default is: no settings are run twice.
      if (isByHand) return;
      const { threads, spinMicroseconds } = chosen;
      await open(workers, { threads, spinMicroseconds });
    },
    ...record.settings.map((settings) => () => open(workers, settings)),
  ];
  const peers = [undefined, record.equal.threads].map((threads) => async () => {
    told(`${model.name}, transformers.js, ${threads ?? "its own"} threads`);
    const opened = await runPeer(model, threads, busyCore);
    record.peers.push({ round, model: model.name, ...opened });
  });
  // What is compared with transformers.js runs beside it.
  const runs = [...ours(1), ...peers, ...ours(2)];
  const turned = runs.map((_, index) => runs[(index + round) % runs.length]);
  return round % 2 === 0 ? turned : turned.toReversed();
}

/** One thread; all cores and half of them, sleeping and spinning briefly. */
function settingsByHand() {
  const cores = availableParallelism();
  const counts = [...new Set([1, Math.ceil(cores / 2), cores])];
  return counts.flatMap((threads) =>
    (threads === 1 ? [0] : [0, 50]).map((spinMicroseconds) => ({ threads, spinMicroseconds })),
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
