import { execFile } from "node:child_process";
import { basename, dirname, resolve, sep } from "node:path";

/**
 * Whether a file is committed, or about to be: git tracks it. Where git cannot tell (an unpacked
 * archive), every file counts but those under `results/local`.
 */
export async function isTracked(file: string): Promise<boolean> {
  const listed = await listFiles(dirname(file), basename(file));
  return listed === undefined
    ? !/(^|\/)results\/local\//.test(withSlashes(resolve(file)))
    : listed.length > 0;
}

/**
 * A test of paths relative to a folder of records: whether git tracks them, as in {@link isTracked}.
 */
export async function trackedBelow(folder: string): Promise<(name: string) => boolean> {
  const listed = await listFiles(folder, ".");
  if (listed === undefined) return (name) => !withSlashes(name).startsWith("local/");
  const names = new Set(listed);
  return (name) => names.has(withSlashes(name));
}

/** Tracked files, relative to the folder; undefined where there is no git, or no repository. */
function listFiles(folder: string, path: string): Promise<readonly string[] | undefined> {
  return new Promise((done) => {
    const found = (error: Error | null, stdout: string): void => {
      done(error === null ? stdout.split("\0").filter((name) => name !== "") : undefined);
    };
    const options = { cwd: folder, maxBuffer: 2 ** 26 };
    execFile("git", ["ls-files", "-z", "--", path], options, found);
  });
}

function withSlashes(path: string): string {
  return path.split(sep).join("/");
}
