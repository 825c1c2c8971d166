import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import { workspaceRoot } from "../record-file.js";

/** A version of the packages that is built and can be measured. */
export interface Version {
  /** As it was asked for. */
  readonly name: string;
  /** Full hash; null for a folder that is in no repository, or has changes. */
  readonly commit: string | null;
  /** File URL of its `@streamgauge/runtime`. */
  readonly runtimeUrl: string;
  /** Removes what was made for it. */
  dispose(): Promise<void>;
}

export interface PrepareOptions {
  /** Where refs are looked up. */
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
  /** Told what is done next. */
  readonly onStep: (step: string) => void;
}

/**
 * Makes a version ready: a folder is used as it is, and built if it has no
 * `dist`; anything else is a git ref, which is checked out into a temporary
 * worktree, installed and built there.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for what is neither a workspace folder
 *   nor a commit, or does not build. Nothing is left behind then
 */
export async function prepareVersion(name: string, options: PrepareOptions): Promise<Version> {
  if (await isFolder(name)) return await prepareFolder(name, options);
  const { repository, signal, onStep } = options;
  const commit = await commitOf(name, repository);
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-gate-"));
  const dispose = async (): Promise<void> => {
    const known = await git(["worktree", "remove", "--force", folder], repository).then(
      () => true,
      () => false,
    );
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    // It was interrupted when git had it on its list, and no more.
    if (!known) await git(["worktree", "prune"], repository).catch(() => undefined);
  };
  try {
    onStep(`${name}: checking out`);
    await git(["worktree", "add", "--detach", folder, commit], repository, signal);
    onStep(`${name}: installing`);
    await runPnpm(["install", "--frozen-lockfile", "--prefer-offline"], folder, signal);
    onStep(`${name}: building`);
    await build(folder, signal);
    return { name, commit, runtimeUrl: await runtimeUrlOf(folder), dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function prepareFolder(name: string, { signal, onStep }: PrepareOptions): Promise<Version> {
  const folder = resolve(name);
  if (!existsSync(join(folder, "packages", "runtime", "package.json"))) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `"${name}" is a folder without packages/runtime: give the root of a streamgauge workspace, or a git ref.`,
    );
  }
  if (!existsSync(join(folder, "packages", "runtime", "dist", "index.js"))) {
    if (!existsSync(join(folder, "node_modules"))) {
      onStep(`${name}: installing`);
      await runPnpm(["install", "--frozen-lockfile", "--prefer-offline"], folder, signal);
    }
    onStep(`${name}: building`);
    await build(folder, signal);
  }
  return {
    name,
    commit: await cleanCommitOf(folder),
    runtimeUrl: await runtimeUrlOf(folder),
    // It is the user's.
    dispose: async () => undefined,
  };
}

async function isFolder(name: string): Promise<boolean> {
  return await stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function commitOf(ref: string, repository: string): Promise<string> {
  try {
    // What looks like an option is none; a tag or a branch is followed to its commit.
    return await git(
      ["rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`],
      repository,
    );
  } catch (cause) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `"${ref}" is neither a folder nor a commit of the repository around ${repository}. In a shallow clone, fetch it first.`,
      { cause },
    );
  }
}

async function cleanCommitOf(folder: string): Promise<string | null> {
  try {
    const changes = await git(["status", "--porcelain"], folder);
    return changes === "" ? await git(["rev-parse", "HEAD"], folder) : null;
  } catch {
    return null;
  }
}

/** What the runtime's own `exports` say, so that the version decides where it is. */
async function runtimeUrlOf(folder: string): Promise<string> {
  const home = join(folder, "packages", "runtime");
  const { exports } = JSON.parse(await readFile(join(home, "package.json"), "utf8")) as {
    exports: { ".": { default: string } };
  };
  return pathToFileURL(join(home, exports["."].default)).href;
}

async function build(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const turbo = join(folder, "node_modules", "turbo", "bin", "turbo");
  await run(
    process.execPath,
    [turbo, "run", "build", "build:model", "--filter=@streamgauge/runtime..."],
    folder,
    signal,
  );
}

async function runPnpm(
  args: readonly string[],
  folder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  // Under `pnpm streamgauge` this is the very pnpm that runs; it may be a script of Node.
  const own = process.env["npm_execpath"];
  if (own !== undefined && /pnpm[^/\\]*\.c?js$/.test(own)) {
    await run(process.execPath, [own, ...args], folder, signal);
  } else {
    // On Windows it is a .cmd, which only a shell can start; the arguments are our own.
    await run("pnpm", args, folder, signal, process.platform === "win32");
  }
}

async function git(args: readonly string[], folder: string, signal?: AbortSignal): Promise<string> {
  return (await run("git", args, folder, signal)).trim();
}

/** Most characters of a failed command's output that are shown. */
const mostShown = 2000;

async function run(
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

/** The workspace around the working directory, which refs are looked up in. */
export function gateRepository(): string {
  return workspaceRoot(process.cwd()) ?? process.cwd();
}
