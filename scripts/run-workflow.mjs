// Runs the shell steps of a workflow here, one after the other, as its jobs would:
//   pnpm workflow test --list
//   pnpm workflow gate --job gate --env BASE=main --env HEAD=HEAD
// Steps that use actions are named and left out: the checkout and Node are those that are here.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { expandAction, readWorkflow, root, stepsOf } from "./workflows/workflow-files.mjs";

const command = new Command("workflow")
  .description("Run the shell steps of a GitHub workflow on this machine.")
  .argument("<workflow>", "a file in .github/workflows, with or without .yml, or a path")
  .option("--list", "say what would run, and run nothing")
  .option("--cwd <folder>", "run there instead of in this workspace", root)
  .option("--job <name>", "only this job")
  .option("--step <name...>", "only steps of these names")
  .option("--env <assignment...>", "NAME=value, instead of what the workflow says", assign, {})
  .showHelpAfterError("Add --help for the options.")
  .parse();
const { list, cwd, job: onlyJob, step: onlySteps, env: given } = command.opts();

const summaries = await mkdtemp(join(tmpdir(), "streamgauge-workflow-"));
let running;
let isStopped = false;
for (const name of ["SIGINT", "SIGTERM"])
  process.on(name, () => {
    isStopped = true;
    // The terminal has sent Ctrl-C to the step as well.
    if (name === "SIGTERM") running?.kill();
  });
try {
  await runWorkflow(command.args[0]);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = isStopped ? 130 : 1;
} finally {
  await rm(summaries, { recursive: true, force: true });
}

async function runWorkflow(name) {
  const { file, workflow } = await readWorkflow(name);
  const outer = stepsOf(workflow).filter(({ job }) => onlyJob === undefined || job === onlyJob);
  const inner = outer.map(async (each) =>
    (await expandAction(each.step)).map((expanded) => ({
      ...each,
      ...expanded,
      name: expanded.step.name ?? each.name,
    })),
  );
  const steps = (await Promise.all(inner))
    .flat()
    .filter(({ step }) => onlySteps === undefined || onlySteps.includes(step.name));
  if (steps.length === 0) throw new Error(`${file} has no such job or step. Try --list.`);
  for (const { job, definition, step, actionPath, name: title } of steps) {
    const label = `${file}, ${job}: ${title}`;
    if (step.run === undefined) process.stderr.write(`left out  ${label}\n`);
    else if (list) process.stderr.write(`would run ${label}\n${indented(step.run)}\n`);
    else {
      process.stderr.write(`running   ${label}\n`);
      const path = actionPath === undefined ? {} : { GITHUB_ACTION_PATH: actionPath };
      const variables = { ...workflow.env, ...definition.env, ...step.env, ...path, ...given };
      await runStep(step.run, variables, label);
    }
  }
  const summary = await readFile(join(summaries, "summary.md"), "utf8").catch(() => "");
  if (summary !== "") process.stdout.write(`\nThe job summary:\n\n${summary}`);
}

async function runStep(run, variables, label) {
  for (const [name, value] of Object.entries(variables))
    if (/\$\{\{/.test(String(value)))
      throw new Error(`${label} needs ${name}, which is ${value} there. Add --env ${name}=…`);
  const options = {
    cwd,
    stdio: "inherit",
    env: {
      ...process.env,
      ...variables,
      GITHUB_STEP_SUMMARY: join(summaries, "summary.md"),
      GITHUB_OUTPUT: join(summaries, "output"),
    },
  };
  // As GitHub does on Linux and macOS: it ends at the first command that fails.
  running =
    process.platform === "win32"
      ? spawn(run, { ...options, shell: true })
      : spawn("bash", ["-e", "-o", "pipefail", "-c", run], options);
  const code = await new Promise((resolve, reject) => {
    running.once("error", reject);
    running.once("close", (status) => resolve(status ?? 1));
  });
  if (isStopped) throw new Error("Stopped.");
  if (code !== 0) throw new Error(`${label} ended with exit code ${code}.`);
}

function assign(assignment, before) {
  const at = assignment.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("Write it as NAME=value.");
  return { ...before, [assignment.slice(0, at)]: assignment.slice(at + 1) };
}

function indented(text) {
  return text.trimEnd().replace(/^/gm, "            ");
}
