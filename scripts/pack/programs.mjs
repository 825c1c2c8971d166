// Other programs: started without a shell, ended with this process, and quoted when they fail.
import { execa } from "execa";

/** Something that was tried and failed; the message has the command, and all that it wrote. */
export class ProgramError extends Error {}

/**
 * Runs a program to its end and returns what it wrote to standard output.
 *
 * @param {string} file
 * @param {readonly string[]} args
 * @param {{ cwd: string, signal: AbortSignal, env?: Record<string, string | undefined> }} options
 *   variables that are undefined are not passed on
 * @returns {Promise<string>}
 * @throws {ProgramError} when it cannot be started, fails, or is stopped by the signal.
 */
export async function run(file, args, { cwd, signal, env = {} }) {
  const { failed, stdout, all, shortMessage } = await execa(file, args, {
    cwd,
    env,
    all: true,
    cancelSignal: signal,
    reject: false,
    stdin: "ignore",
  });
  if (failed) throw new ProgramError(`${shortMessage}\n(in ${cwd})\n${all ?? ""}`);
  return stdout;
}

/**
 * The pnpm that this runs under, or else the one that the workspace names, through npx.
 *
 * @param {string} packageManager as in package.json, "pnpm@10.0.0"
 * @returns {[string, ...string[]]} a program, and the arguments that come before pnpm's own.
 */
export function pnpmCommand(packageManager) {
  const path = process.env.npm_execpath ?? "";
  return /pnpm[^/\\]*\.[cm]?js$/.test(path)
    ? [process.execPath, path]
    : ["npx", "-y", packageManager];
}
