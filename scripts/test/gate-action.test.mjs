import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { blocksOf } from "../pack/own-generator.mjs";
import { readWorkflow, root } from "../workflows/workflow-files.mjs";

const run = promisify(execFile);
const page = await readFile(join(root, "docs/measuring-your-own-generator.md"), "utf8");
const workflow = blocksOf(page).find(({ language }) => language === "yaml")?.text ?? "";
const module = blocksOf(page).find(({ name }) => name === "my-engine.bench.mjs")?.text ?? "";

let folder;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "streamgauge-action-"))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The repository of somebody else, with the page's module and workflow. */
async function makeRepository() {
  await mkdir(join(folder, ".github", "workflows"), { recursive: true });
  await writeFile(join(folder, ".github", "workflows", "gate.yml"), workflow);
  // A worktree has no node_modules: nothing is there to install in this test.
  const here = (name) => pathToFileURL(join(root, "packages", name, "dist/index.js")).href;
  const local = module
    .replace("@streamgauge/core", here("core"))
    .replace("@streamgauge/bench", here("bench"));
  await writeFile(join(folder, "my-engine.bench.mjs"), local);
  await writeFile(join(folder, "package.json"), '{ "name": "own" }\n');
  const lock = {
    name: "own",
    lockfileVersion: 3,
    requires: true,
    packages: { "": { name: "own" } },
  };
  await writeFile(join(folder, "package-lock.json"), JSON.stringify(lock));
  await writeFile(join(folder, ".gitignore"), "node_modules\nresults\n");
  const git = (...args) =>
    run("git", ["-c", "user.name=t", "-c", "user.email=t@t", ...args], { cwd: folder });
  await git("init", "--quiet");
  await git("add", "--all");
  await git("commit", "--quiet", "--message", "Begin");
  return { workflow: join(folder, ".github", "workflows", "gate.yml") };
}

/** The workflow runner over the repository. */
async function runWorkflow(path, ...flags) {
  const script = join(root, "scripts/run-workflow.mjs");
  return await run(process.execPath, [script, path, "--cwd", folder, ...flags]);
}

describe("the composite action", () => {
  it("needs ten lines of workflow, which run as the page has them", async () => {
    expect(workflow.split("\n").filter((line) => line.trim() !== "").length).toBe(10);
    const { workflow: path } = await makeRepository();
    await runWorkflow(path, "--step", "Install");
    await mkdir(join(folder, "node_modules"), { recursive: true });
    await symlink(
      join(root, "packages"),
      join(folder, "node_modules", "@streamgauge"),
      process.platform === "win32" ? "junction" : "dir",
    );
    // 60 %: on a busy machine the verdict of identical code is still none, or inconclusive.
    const sides = [
      "--env",
      "BASE=HEAD",
      "--env",
      "HEAD=HEAD",
      "--env",
      "THRESHOLD=60",
      "--env",
      "BLOCKS=2",
    ];
    const { stdout } = await runWorkflow(path, "--step", "Gate", ...sides);
    expect(stdout).toContain("The job summary:");
    expect(stdout).toContain("<!-- streamgauge-gate -->");
    const comment = await readFile(join(folder, "results/local/gate/gate.md"), "utf8");
    // Markdown reads no dash there: the comment has it as a character reference.
    expect(comment).toContain("engine.bench.mjs");
  }, 240_000);

  it("comments by the script of our own workflow", async () => {
    const action = parse(await readFile(join(root, ".github/actions/gate/action.yml"), "utf8"));
    const comment = action.runs.steps.find(({ name }) => name === "Comment");
    const { workflow: own } = await readWorkflow("gate");
    const [step] = own.jobs.comment.steps;
    expect(comment.with.script.trim()).toBe(step.with.script.trim());
    expect(comment.uses).toBe(step.uses);
  });

  it("pastes no expression into a command", async () => {
    const action = parse(await readFile(join(root, ".github/actions/gate/action.yml"), "utf8"));
    for (const { run: command = "", shell, uses } of action.runs.steps) {
      expect(command).not.toContain("${{");
      if (uses === undefined) expect(shell).toBe("bash");
    }
  });
});
