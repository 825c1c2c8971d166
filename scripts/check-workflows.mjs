// Parses all workflows, and says what is wrong with them: part of `pnpm check`.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readWorkflow, root, workflowFiles } from "./workflows/workflow-files.mjs";
import { workflowProblems } from "./workflows/workflow-problems.mjs";

const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
const read = await Promise.all((await workflowFiles()).map(readWorkflow));
const problems = read.flatMap((workflow) => workflowProblems(workflow, { root, scripts }));
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (problems.length > 0) process.exitCode = 1;
