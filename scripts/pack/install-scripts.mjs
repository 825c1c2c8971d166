// What an installed tree contains, which of its packages run scripts, and which of them are documented.
import { readFile, readdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { satisfies } from "semver";
import { root } from "./published-packages.mjs";

/** The decision that has the table of packages with install scripts. */
export const decision = "docs/decisions/0001-libraries.md";

const hooks = ["preinstall", "install", "postinstall"];

/**
 * Every package in a project's node_modules, as npm or pnpm laid it out; links are not followed.
 *
 * @param {string} folder the project
 * @returns {Promise<{ name: string, version: string, script?: string, node?: string }[]>} `script` is what
 *   runs when it is installed, such as "postinstall: node ./script/install"; `node` is the range of
 *   versions that it runs on.
 */
export async function installedPackages(folder) {
  const modules = join(folder, "node_modules");
  const found = await packagesIn(modules);
  const store = join(modules, ".pnpm");
  for (const name of await foldersIn(store))
    found.push(...(await packagesIn(join(store, name, "node_modules"))));
  return found;
}

async function packagesIn(modules) {
  const found = [];
  for (const name of await foldersIn(modules)) {
    const folder = join(modules, name);
    if (name.startsWith("@")) found.push(...(await packagesIn(folder)));
    else if (existsSync(join(folder, "package.json"))) {
      const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
      const script = installScript(manifest, existsSync(join(folder, "binding.gyp")));
      const { name: called, version, engines } = manifest;
      found.push({ name: called, version, script, node: engines?.node });
      found.push(...(await packagesIn(join(folder, "node_modules"))));
    }
  }
  return found;
}

async function foldersIn(folder) {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name);
}

/** Both managers compile where there is a `binding.gyp` and no script that says otherwise. */
function installScript({ scripts = {}, gypfile }, hasBindings) {
  const written = hooks.filter((hook) => scripts[hook]).map((hook) => `${hook}: ${scripts[hook]}`);
  if (written.length > 0) return written.join("; ");
  return hasBindings && gypfile !== false ? "install: node-gyp rebuild" : undefined;
}

/**
 * The first table under the heading.
 *
 * @returns {Promise<{ name: string, optional: boolean }[]>} `optional` when it only comes with an
 *   optional peer.
 */
export async function documentedScripts() {
  const text = await readFile(join(root, decision), "utf8");
  const [, section = ""] = text.split("## Install scripts\n");
  const [table = ""] = section.match(/^(?:\|.*\n)+/m) ?? [];
  const rows = table.trim().split("\n");
  return rows.slice(2).map((row) => {
    const [name, comesWith] = row
      .split("|")
      .slice(1)
      .map((cell) => cell.trim());
    return { name, optional: comesWith.includes("optional") };
  });
}

/**
 * What is wrong with a tree, in sentences: scripts that are not documented or no longer there, a
 * package that is there more or less often than expected, and one that does not run on the
 * oldest Node that ours run on, of which npm warns.
 *
 * @param {readonly { name: string, version: string, script?: string, node?: string }[]} packages
 * @param {{ documented: readonly string[], copies: Record<string, number>, node?: string }} expected
 *   `node` is the oldest version that ours promise to run on; without it none is checked.
 * @returns {string[]}
 */
export function treeProblems(packages, { documented, copies, node }) {
  const scripted = new Map(
    packages.filter(({ script }) => script !== undefined).map((one) => [one.name, one.script]),
  );
  const counted = Object.entries(copies).map(([name, count]) => {
    const versions = packages.filter((one) => one.name === name).map(({ version }) => version);
    return versions.length === count
      ? []
      : [`${name} is installed ${versions.length} times (${versions.join(", ")}), not ${count}.`];
  });
  return [
    ...[...scripted]
      .filter(([name]) => !documented.includes(name))
      .map(([name, script]) => `${name} runs "${script}" when installed: say why in ${decision}.`),
    ...documented
      .filter((name) => !scripted.has(name))
      .map((name) => `${name} runs no install script here: take it out of ${decision}.`),
    ...counted.flat(),
    ...packages.flatMap(({ name, version, node: needed }) =>
      node === undefined || needed === undefined || satisfies(node, needed)
        ? []
        : [`${name} ${version} needs Node ${needed}; ours promise to run on ${node}.`],
    ),
  ];
}
