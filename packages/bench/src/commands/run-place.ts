import { readFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { workspaceRoot } from "../run/record-file.js";
import type { RunPlace } from "../summary/index.js";

/** What a run needs to go on, and its record does not hold. */
export interface GivenToBench {
  /** Paths of modules. */
  readonly modules?: readonly string[] | undefined;
  /** As flags. */
  readonly endpointArguments?: readonly string[] | undefined;
}

/**
 * How the commands that read a record are called: with scripts of this workspace inside
 * of it, where paths are from its root, and with `npx` elsewhere.
 *
 * @param given what the bench was given and no record holds
 */
export function placeOf(recordPath: string, given: GivenToBench = {}): RunPlace {
  const { modules = [], endpointArguments } = given;
  const root = workspaceRoot(process.cwd());
  const isOurs = root !== undefined && nameOf(root) === "streamgauge-workspace";
  const from = isOurs ? root : process.cwd();
  const path = shortest(resolve(recordPath), from);
  return {
    recordPath: path,
    folder: dirname(path),
    benchCommand: isOurs ? "pnpm streamgauge" : "npx streamgauge",
    reportCommand: isOurs ? "pnpm report" : "npx streamgauge-report",
    arguments: modules.map((module) => shortest(resolve(module), from)),
    ...(endpointArguments !== undefined && { endpointArguments }),
  };
}

/** From the folder, where it is below it. */
function shortest(path: string, from: string): string {
  const below = relative(from, path);
  return below.startsWith("..") || isAbsolute(below) ? path : below;
}

function nameOf(root: string): unknown {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    return (manifest as { readonly name?: unknown }).name;
  } catch {
    return undefined;
  }
}
