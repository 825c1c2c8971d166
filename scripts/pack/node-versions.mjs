// Other versions of Node, from the npm package `node`, which brings the platform's binary.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidArgumentError } from "commander";
import { ProgramError, run } from "./programs.mjs";

/**
 * Parses "20,22,24".
 *
 * @param {string} list
 * @returns {number[]} major versions
 * @throws {InvalidArgumentError} when one of them is not a version that the packages support.
 */
export function parseNodeVersions(list) {
  return list.split(",").map((text) => {
    const major = Number(text);
    if (!Number.isInteger(major) || major < 20)
      throw new InvalidArgumentError("Give major versions from 20 on, as in --node 20,22,24,26.");
    return major;
  });
}

/**
 * The path of a Node of that major version: the running one if it is, and else a fetched one.
 *
 * @param {number} major
 * @param {{ folder: string, signal: AbortSignal }} options where to install
 * @returns {Promise<{ node: string, version: string }>}
 */
export async function findNode(major, { folder, signal }) {
  if (Number(process.versions.node.split(".")[0]) === major)
    return { node: process.execPath, version: process.version };
  const cwd = join(folder, `node-${major}`);
  await mkdir(cwd, { recursive: true });
  await writeFile(join(cwd, "package.json"), '{ "private": true }\n');
  const options = ["--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", ["install", `node@${major}`, ...options], { cwd, signal });
  const name = process.platform === "win32" ? "node.exe" : "node";
  const node = join(cwd, "node_modules", "node", "bin", name);
  const version = await run(node, ["--version"], { cwd, signal });
  if (!version.startsWith(`v${major}.`))
    throw new ProgramError(`The npm package node@${major} brought Node ${version}.`);
  return { node, version };
}
