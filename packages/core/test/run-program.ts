import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** How a program ended, and what it said. */
export interface ProgramOutcome {
  /** Its exit code; -1 where a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** The folder it runs in. Default: that of the tests. */
  readonly cwd?: string;
  /** Variables of the environment, besides those of the tests. */
  readonly env?: NodeJS.ProcessEnv;
  /** A module that Node.js loads before the program. */
  readonly preload?: URL;
}

/** Runs a program of Node.js to its end, whatever its exit code. */
export function runProgram(
  program: URL,
  flags: readonly string[],
  { cwd, env, preload }: ProgramOptions = {},
): Promise<ProgramOutcome> {
  const before = preload === undefined ? [] : ["--import", preload.href];
  const words = [...before, fileURLToPath(program), ...flags];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      words,
      { cwd, env: { ...process.env, ...env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}
