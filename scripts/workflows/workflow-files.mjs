// The repository's workflows, parsed.
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** The workspace's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const folder = join(root, ".github", "workflows");

/**
 * Reads a workflow.
 *
 * @param {string} name as in "gate" or "gate.yml"
 * @returns {Promise<{ file: string, text: string, workflow: any }>}
 * @throws {Error} for a name that none has, or YAML that cannot be parsed.
 */
export async function readWorkflow(name) {
  const file = name.endsWith(".yml") ? name : `${name}.yml`;
  const files = await workflowFiles();
  if (!files.includes(file))
    throw new Error(`There is no workflow "${name}". There are ${files.join(", ")}.`);
  const text = await readFile(join(folder, file), "utf8");
  return { file, text, workflow: parse(text, { prettyErrors: true, uniqueKeys: true }) };
}

/** @returns {Promise<string[]>} names of the files, sorted. */
export async function workflowFiles() {
  return (await readdir(folder)).filter((file) => /\.ya?ml$/.test(file)).toSorted();
}

/**
 * Every step of a workflow.
 *
 * @param {any} workflow
 * @returns {{ job: string, definition: any, step: any, name: string }[]}
 */
export function stepsOf(workflow) {
  return Object.entries(workflow.jobs ?? {}).flatMap(([job, definition]) =>
    (definition.steps ?? []).map((step) => ({
      job,
      definition,
      step,
      name: step.name ?? step.uses ?? step.run,
    })),
  );
}
