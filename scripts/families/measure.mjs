// Builds each shape of shapes.mjs with random weights in 4 bits, runs it, and keeps what it took:
//   node scripts/families/measure.mjs results/<name>            # all
//   node scripts/families/measure.mjs results/<name> Qwen3-0.6B # those that are named
// and writes the table of docs/model-layouts.md from a record:
//   node scripts/families/measure.mjs --page results/<name>
// Nothing else may run meanwhile. A model folder is deleted when it was measured.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { shapes, terms } from "./shapes.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = join(root, "docs", "model-layouts.md");

const [first, ...rest] = process.argv.slice(2);
if (first === undefined) throw new Error("Give the folder of the record: results/<name>.");
if (first === "--page") await writePage(rest[0]);
else await measure(first, rest);

async function measure(folder, names) {
  const git = (...args) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const runtime = JSON.parse(await readFile(join(root, "packages/runtime/package.json"), "utf8"));
  const record = {
    schema: "streamgauge/families",
    startedAt: new Date().toISOString(),
    environment: {
      cpuModel: cpus()[0]?.model.trim(),
      logicalCores: availableParallelism(),
      memoryBytes: totalmem(),
      operatingSystem: `${type()} ${release()} ${process.arch}`,
      nodeVersion: process.versions.node,
      runtimeVersion: runtime.version,
      // Records of other runs are no change of what is measured.
      git: {
        commit: git("rev-parse", "HEAD"),
        dirty: git("status", "--porcelain", "--", ":/", ":(top,exclude)results") !== "",
      },
    },
    terms,
    shapes: [],
  };
  for (const { family, model, config } of shapes) {
    if (names.length > 0 && !names.includes(model)) continue;
    process.stderr.write(`${model}: building…`);
    const workshop = await mkdtemp(join(tmpdir(), "streamgauge-shape-"));
    try {
      const checkpoint = join(workshop, "checkpoint");
      const built = join(workshop, "model");
      await mkdir(checkpoint);
      await writeFile(join(checkpoint, "config.json"), JSON.stringify(config));
      const build = await step("build", checkpoint, built);
      process.stderr.write(` ${build.seconds.toFixed(0)} s; running…`);
      const run = await step("run", built);
      record.shapes.push({ family, model, config, build, run });
      // After each: the large ones take many minutes, and Ctrl-C keeps what is done.
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, "families.json"), `${JSON.stringify(record, undefined, 1)}\n`);
      process.stderr.write(` ${run.tokensPerSecond.toFixed(1)} tokens/s\n`);
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  }
}

/** @returns what a process of one step printed */
async function step(...args) {
  const program = fileURLToPath(new URL("one-shape.mjs", import.meta.url));
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`one-shape.mjs ${args[0]} ended with ${code}.`);
  return JSON.parse(text);
}

async function writePage(folder) {
  const record = JSON.parse(await readFile(join(folder, "families.json"), "utf8"));
  const { environment, terms: asked, startedAt } = record;
  const gigabytes = (bytes) => (bytes / 1e9).toFixed(2);
  const rows = record.shapes.map(({ family, model, build, run }) => [
    family,
    model,
    `${build.seconds.toFixed(0)} s, ${gigabytes(build.peakBytes)}`,
    run.loadSeconds.toFixed(1),
    gigabytes(run.peakBytes),
    run.firstTokenMilliseconds.toFixed(0),
    run.tokensPerSecond.toFixed(1),
  ]);
  const head = ["family", "shape of", "build: time, peak GB", "load s"];
  head.push("run: peak GB", `TTFT ms, ${asked.promptTokens} ids`, "tokens/s");
  const lines = [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
  const text =
    `Measured on ${startedAt.slice(0, 10)}, ${environment.cpuModel}, ${environment.logicalCores} cores, ` +
    `Node ${environment.nodeVersion}: 4 bits, random weights, one worker, ${asked.threads} threads, ` +
    `one stream, ${asked.generatedTokens} tokens, the middle of ${asked.generations} generations ` +
    `([record](../${relative(root, join(folder, "families.json")).replaceAll("\\", "/")})).\n\n` +
    lines.join("\n");
  const before = await readFile(page, "utf8");
  const marked = /(<!-- families-run -->\n)[^]*?(\n<!-- \/families-run -->)/;
  if (!marked.test(before)) throw new Error(`${page} has no marks "families-run".`);
  await writeFile(
    page,
    before.replace(marked, (_, from, to) => `${from}\n${text}\n${to}`),
  );
}
