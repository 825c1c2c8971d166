import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import { describeGit } from "../run/environment.js";
import { workspaceRoot } from "../run/record-file.js";
import { installLocked } from "./package-managers.js";
import { build, git, install } from "./workspace-programs.js";

/** A version of the packages that is built and can be measured. */
export interface Version {
  /** As it was asked for. */
  readonly name: string;
  /** Full hash; null for a folder that is in no repository, or has changes. */
  readonly commit: string | null;
  /** File URL of its `@streamgauge/runtime`, or of its module of scenarios. */
  readonly entryUrl: string;
  /** Removes what was made for it. */
  dispose(): Promise<void>;
}

export interface PrepareOptions {
  /** Where refs are looked up. */
  readonly repository: string;
  /** A module of scenarios in the version, from its root; and what is run before it is loaded. */
  readonly own?: { readonly module: string; readonly buildScript?: string | undefined } | undefined;
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
  const { repository, own, signal, onStep } = options;
  if (await isFolder(name)) {
    return await (own === undefined
      ? prepareFolder(name, options)
      : prepareOwnFolder(name, own.module));
  }
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
    if (own !== undefined) {
      await installLocked(folder, { module: own.module, script: own.buildScript }, signal);
      return { name, commit, entryUrl: moduleUrlOf(folder, own.module, name), dispose };
    }
    await install(folder, signal);
    onStep(`${name}: building`);
    await build(folder, signal);
    return { name, commit, entryUrl: await runtimeEntryOf(folder), dispose };
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
    entryUrl: await runtimeEntryOf(folder),
    // It is the user's.
    dispose: async () => undefined,
  };
}

/** Everything is installed there, and built: it is the user's. */
async function prepareOwnFolder(name: string, module: string): Promise<Version> {
  const folder = resolve(name);
  return {
    name,
    commit: await cleanCommitOf(folder),
    entryUrl: moduleUrlOf(folder, module, name),
    dispose: async () => undefined,
  };
}

function moduleUrlOf(folder: string, module: string, name: string): string {
  const path = join(folder, module);
  if (existsSync(path)) return pathToFileURL(path).href;
  throw new StreamgaugeError(
    "INVALID_OPTION",
    `${module} is not in ${name}: both versions need it. Commit it first, or compare folders ` +
      `that have it.`,
  );
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
  const state = await describeGit(folder);
  return state === null || state.dirty ? null : state.commit;
}

/** What the runtime's own `exports` say, so that the version decides where it is. */
async function runtimeEntryOf(folder: string): Promise<string> {
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

/** The root of the repository around the working directory; the directory itself where there is none. */
export async function ownRepository(): Promise<string> {
  return await git(["rev-parse", "--show-toplevel"], process.cwd()).catch(() => process.cwd());
}
