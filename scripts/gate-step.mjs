// The step of a workflow that gates: compares HEAD with the commit at which it left BASE, leaves
// gate.md and gate.json in results/local/gate, and hands the summary on.
//   BASE=<ref> HEAD=<ref> node scripts/gate-step.mjs
// With MODULE it compares the scenarios of a repository that is not ours, the one around the working
// directory, by the bench that is installed there; SCENARIO, BUILD, THRESHOLD and BLOCKS are as the flags.
// Exit code 0 also where nothing could be decided, unless FAIL_ON_INCONCLUSIVE is 1.
import { spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { appendFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const { MODULE: module, SCENARIO: scenario, BUILD: build } = process.env;
const { THRESHOLD: threshold, BLOCKS: blocks } = process.env;
const root = module ? process.cwd() : fileURLToPath(new URL("..", import.meta.url));
const { BASE: base, HEAD: head, GITHUB_STEP_SUMMARY: summary, GITHUB_OUTPUT: output } = process.env;
if (!base || !head) throw new Error("Set BASE and HEAD to the commits to compare.");

const folder = join(root, "results", "local", "gate");
const file = join(folder, "gate.md");
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });

// What came to BASE since is not HEAD's to answer for, nor to be praised for.
const left = spawnSync("git", ["merge-base", base, head], { cwd: root, encoding: "utf8" });
const from = left.status === 0 ? left.stdout.trim() : base;
const written = ["--summary", file, "--json", join(folder, "gate.json")];
const own = Object.entries({ module, scenario, build, threshold, blocks }).flatMap(
  ([name, value]) => (value ? [`--${name}`, value] : []),
);
const gate = ["gate", "--base", from, "--head", head, ...written, ...own];
const child = spawn(process.execPath, [...programOf(root), ...gate], {
  cwd: root,
  stdio: "inherit",
});
// A terminal sends Ctrl-C to the child as well: this process waits for it to clean up.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill());
const code = await new Promise((resolve, reject) => {
  child.once("error", reject);
  child.once("close", (status) => resolve(status ?? 1));
});

const text = await readFile(file, "utf8").catch(() => "");
if (text !== "" && summary) await appendFile(summary, `${text}\n`);
if (text !== "" && output) {
  // No line of the text can end it early.
  const end = randomUUID();
  await appendFile(output, `summary<<${end}\n${text.trimEnd()}\n${end}\n`);
}

// 0: no regression, 1: a regression or an error, 2: inconclusive.
const isInconclusive = code === 2;
if (isInconclusive) process.stderr.write("The gate is inconclusive: noise hides what there is.\n");
process.exitCode = isInconclusive && process.env.FAIL_ON_INCONCLUSIVE !== "1" ? 0 : code;

/** The command line: of this workspace, which is built first, or as the other repository has it. */
function programOf(repository) {
  if (!module) return [join(repository, "scripts/run.mjs"), "packages/bench/dist/cli.js"];
  const manifest = createRequire(join(repository, "package.json")).resolve(
    "@streamgauge/bench/package.json",
  );
  return [join(dirname(manifest), "bin/streamgauge.js")];
}
