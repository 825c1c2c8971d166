import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import { workspaceRoot } from "../run/record-file.js";
import { build, git, install } from "./workspace-programs.js";

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
    await install(folder, signal);
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
      await install(folder, signal);
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

/** The workspace around the working directory, which refs are looked up in. */
export function gateRepository(): string {
  return workspaceRoot(process.cwd()) ?? process.cwd();
}
