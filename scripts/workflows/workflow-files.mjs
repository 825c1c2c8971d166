// The repository's workflows, parsed.
import { readFile, readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

/** The workspace's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const folder = join(root, ".github", "workflows");

/**
 * Reads a workflow.
 *
 * @param {string} name as in "gate" or "gate.yml", or the path of a file anywhere
 * @returns {Promise<{ file: string, text: string, workflow: any }>}
 * @throws {Error} for a name that none has, or YAML that cannot be parsed.
 */
export async function readWorkflow(name) {
  if (/[/\\]/.test(name)) return parseFile(basename(name), await readFile(name, "utf8"));
  const file = name.endsWith(".yml") ? name : `${name}.yml`;
  const files = await workflowFiles();
  if (!files.includes(file))
    throw new Error(`There is no workflow "${name}". There are ${files.join(", ")}.`);
  return parseFile(file, await readFile(join(folder, file), "utf8"));
}

function parseFile(file, text) {
  return { file, text, workflow: parse(text, { prettyErrors: true, uniqueKeys: true }) };
}

/**
 * The steps of a composite action of this repository, with the inputs of the step that uses it; a
 * step that uses no such action is itself.
 *
 * @param {any} step
 * @returns {Promise<{ step: any, actionPath: string | undefined }[]>}
 */
export async function expandAction(step) {
  const [, name] = /(?:^|\/)\.github\/actions\/([\w-]+)(?:@|$)/.exec(step.uses ?? "") ?? [];
  if (name === undefined) return [{ step, actionPath: undefined }];
  const actionPath = join(root, ".github", "actions", name);
  const action = parse(await readFile(join(actionPath, "action.yml"), "utf8"));
  const inputs = Object.fromEntries(
    Object.entries(action.inputs ?? {}).map(([input, { default: usual, required }]) => {
      const value = step.with?.[input] ?? usual;
      if (required && value === undefined)
        throw new Error(`${step.uses} needs the input ${input}.`);
      return [input, String(value ?? "")];
    }),
  );
  const filled = (value) =>
    String(value).replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_, input) => inputs[input] ?? "");
  return action.runs.steps.map((inner) => {
    const env = Object.entries({ ...step.env, ...inner.env }).map(([key, value]) => [
      key,
      filled(value),
    ]);
    return { step: { ...inner, env: Object.fromEntries(env) }, actionPath };
  });
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
