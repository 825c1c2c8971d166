// What docs/measuring-your-own-generator.md says, done in an empty folder.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ProgramError, run } from "./programs.mjs";
import { root } from "./published-packages.mjs";

const page = join(root, "docs", "measuring-your-own-generator.md");

/**
 * Does what the page says, block by block: files are written, commands are run. The packages that
 * it installs are the tarballs, and no others of ours.
 *
 * @param {string} folder that is made
 * @param {{ tarballs: Record<string, string>, signal: AbortSignal,
 *   tell: (text: string) => void }} options `tarballs` from package names to files
 * @throws {ProgramError} when a command fails, or installs what it need not
 */
export async function followThePage(folder, { tarballs, signal, tell }) {
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  for (const { language, name, text } of blocksOf(await readFile(page, "utf8"))) {
    if (name !== undefined) await writeFile(join(folder, name), text);
    if (language !== "bash") continue;
    for (const line of text.replaceAll("\\\n", " ").trim().split("\n")) {
      tell(`$ ${line}`);
      await runLine(line, folder, { tarballs, signal });
    }
  }
}

/** The fenced blocks of a page; those of files have a name after the language. */
export function blocksOf(markdown) {
  return [...markdown.matchAll(/^```(\w+)(?: (\S+))?\n([^]*?)^```$/gm)].map(
    ([, language, name, text]) => ({ language, name, text }),
  );
}

async function runLine(line, folder, { tarballs, signal }) {
  const words = line.trim().split(/\s+/);
  const [program, ...args] = words.map((word) => tarballs[word] ?? word);
  const rest = program === "npm" ? ["--prefer-offline", "--no-audit", "--no-fund"] : [];
  // npx finds what is installed, and asks for nothing else.
  const known = program === "npx" ? ["--no-install"] : [];
  const running = run(program, [...known, ...args, ...rest], { cwd: folder, signal });
  // On a busy machine a gate is inconclusive, and says so by its exit code.
  await (args.includes("gate") ? running.catch(orInconclusive) : running);
}

function orInconclusive(error) {
  if (!/exit code 2\b/.test(error.message)) throw error;
}

/** @throws {ProgramError} where the folder has one of these packages */
export async function refusePackages(folder, names) {
  for (const name of names) {
    const manifest = await readFile(
      join(folder, "node_modules", name, "package.json"),
      "utf8",
    ).catch(() => undefined);
    if (manifest !== undefined)
      throw new ProgramError(`${name} is installed, and nobody asked for it.`);
  }
}
