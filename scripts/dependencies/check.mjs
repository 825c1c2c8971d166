// Who may import whom, and how long a source file may be: prints what breaks it and exits with 1.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cruise } from "dependency-cruiser";
import rules from "./rules.mjs";

/** A file that is read in one sitting. */
const mostLines = 350;

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
const roots = (await readdir("packages")).map((name) => `packages/${name}/src`);
const sources = [...roots, "examples/server/src"];

const { output } = await cruise(
  sources,
  { ...rules.options, validate: true, ruleSet: { forbidden: rules.forbidden } },
  { extensionAlias: undefined },
);
const circles = new Set();
const problems = output.summary.violations.flatMap(({ rule, from, to, cycle }) => {
  if (cycle === undefined) return [`${from} imports ${to}: ${rule.name}.`];
  const files = cycle.map(({ name }) => name);
  const circle = files.toSorted().join(" ");
  if (circles.has(circle)) return [];
  circles.add(circle);
  return [`A circle of imports: ${[from, ...files].join(" -> ")}.`];
});
for (const source of sources) {
  for (const name of await readdir(source, { recursive: true })) {
    if (!name.endsWith(".ts")) continue;
    const lines = (await readFile(join(source, name), "utf8")).split("\n").length - 1;
    if (lines > mostLines)
      problems.push(`${join(source, name)} has ${lines} lines; ${mostLines} are the most.`);
  }
}
for (const problem of problems) console.error(problem);
if (problems.length === 0)
  console.log(`${output.summary.totalCruised} files import in one direction.`);
process.exitCode = problems.length === 0 ? 0 : 1;
