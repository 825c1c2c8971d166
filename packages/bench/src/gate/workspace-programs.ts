/**
 * The programs by which a gate makes a version ready. Each ends with the gate, and
 * fails as a `StreamgaugeError` `INVALID_OPTION` that quotes what it wrote last.
 *
 * @module
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";

/** Builds the runtime of a workspace, what it needs, and the embedded model. */
export async function build(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const turbo = join(folder, "node_modules", "turbo", "bin", "turbo");
  await runProgram(
    process.execPath,
    [turbo, "run", "build", "build:model", "--filter=@streamgauge/runtime..."],
    folder,
    signal,
  );
}

/** Installs what the lockfile of a workspace says. */
export async function install(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const args = ["install", "--frozen-lockfile", "--prefer-offline"];
  // Under `pnpm streamgauge` this is the very pnpm that runs; it may be a script of Node.
  const own = process.env["npm_execpath"];
  if (own !== undefined && /pnpm[^/\\]*\.c?js$/.test(own)) {
    await runProgram(process.execPath, [own, ...args], folder, signal);
  } else {
    // On Windows it is a .cmd, which only a shell can start; the arguments are our own.
    await runProgram("pnpm", args, folder, signal, process.platform === "win32");
  }
}

/** What git says in a folder, without the line break at its end. */
export async function git(
  args: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<string> {
  return (await runProgram("git", args, folder, signal)).trim();
}

/** Most characters of a failed command's output that are shown. */
const mostShown = 2000;

/**
 * Runs a program to its end, and gives what it wrote to its standard output.
 *
 * @throws StreamgaugeError `INVALID_OPTION` with the last that it wrote, where it fails
 */
export async function runProgram(
  command: string,
  args: readonly string[],
  folder: string,
  signal: AbortSignal | undefined,
  shell = false,
): Promise<string> {
  return await new Promise<string>((resolveOutput, reject) => {
    const child = spawn(command, args, {
      cwd: folder,
      shell,
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal === undefined ? {} : { signal }),
    });
    let output = "";
    let all = "";
    child.stdout.on("data", (part) => {
      output += String(part);
      all += String(part);
    });
    child.stderr.on("data", (part) => (all += String(part)));
    const fail = (how: string, cause?: unknown): void =>
      reject(
        new StreamgaugeError(
          "INVALID_OPTION",
          `\`${[command, ...args].join(" ")}\` ${how} in ${folder}:\n${all.slice(-mostShown)}`,
          { cause },
        ),
      );
    child.on("error", (error) => fail("did not run", error));
    child.on("close", (code) => {
      if (code === 0) resolveOutput(output);
      else fail(`ended with ${code}`);
    });
  });
}
