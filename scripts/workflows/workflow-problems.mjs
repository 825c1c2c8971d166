// What is wrong with a workflow, as far as it can be seen without running it.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { stepsOf } from "./workflow-files.mjs";

const pinned = /^[\w.-]+\/[\w./-]+@[\da-f]{40}$/;
const versionComment = /uses:\s+\S+@[\da-f]{40}\s+#\s+v\d+(\.\d+)*\s*$/;
const builtIn = new Set(["install", "exec", "dlx"]);

/**
 * Problems of a workflow, in sentences; empty when there are none. Actions have to be pinned by
 * commit with the version beside it, permissions stated and narrow at the top, jobs limited in time,
 * and the scripts that steps call have to exist.
 *
 * @param {{ file: string, text: string, workflow: any }} read
 * @param {{ root: string, scripts: Readonly<Record<string, string>> }} repository `scripts` are those
 *   of the root's package.json
 * @returns {string[]}
 */
export function workflowProblems({ file, text, workflow }, { root, scripts }) {
  const problems = [];
  const add = (problem) => problems.push(`${file}: ${problem}`);
  if (workflow?.on === undefined) add("nothing starts it; it needs `on`.");
  if (typeof workflow?.permissions !== "object" || workflow.permissions === null)
    add("it needs `permissions` at the top; without them a token may write everything.");
  else if (Object.values(workflow.permissions).includes("write"))
    add("permissions to write belong to the job that needs them.");
  for (const [job, { "timeout-minutes": minutes }] of Object.entries(workflow?.jobs ?? {}))
    if (minutes === undefined) add(`the job ${job} needs \`timeout-minutes\`.`);
  for (const { job, step, name } of stepsOf(workflow ?? {})) {
    if ((step.uses === undefined) === (step.run === undefined))
      add(`the step "${name}" of ${job} needs either \`uses\` or \`run\`.`);
    if (step.uses !== undefined && !pinned.test(step.uses))
      add(`${step.uses} is not pinned; write the 40 hex digits of its commit.`);
    if (/\$\{\{/.test(step.run ?? ""))
      add(
        `the step "${name}" of ${job} puts an expression into a command; pass it through \`env\`.`,
      );
    for (const missing of missingScripts(step.run ?? "", { root, scripts }))
      add(`the step "${name}" of ${job} calls ${missing}, which there is not.`);
  }
  for (const line of text.split("\n").filter((candidate) => /^\s*(- )?uses:/.test(candidate)))
    if (!versionComment.test(line)) add(`\`${line.trim()}\` does not say which version it is.`);
  return problems;
}

/** What a step's commands call and the repository does not have. */
function missingScripts(commands, { root, scripts }) {
  return commands.split("\n").flatMap((line) => {
    const [program, first = ""] = line.trim().split(/\s+/);
    if (program === "node") return existsSync(join(root, first)) ? [] : [first];
    if (program !== "pnpm" || builtIn.has(first)) return [];
    return first in scripts ? [] : [`the script "${first}"`];
  });
}
