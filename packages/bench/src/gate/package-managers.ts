import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import { runProgram } from "./workspace-programs.js";

/** A package manager, as the lock file of a repository names it. */
interface PackageManager {
  readonly program: "npm" | "pnpm" | "yarn";
  /** Installs exactly what the lock file says. */
  readonly install: readonly string[];
}

/** A folder with a lock file. */
interface Locked {
  readonly folder: string;
  readonly manager: PackageManager;
}

/**
 * Installs what the lock file next to a module, or in a folder above it, says, and runs a script
 * of the package.json there.
 *
 * @param root of the checkout: it is not left
 * @param module path of the module in it
 * @param script such as "build"; undefined runs none
 * @throws StreamgaugeError `INVALID_OPTION` where there is no lock file, and where a program fails
 */
export async function installLocked(
  root: string,
  { module, script }: { readonly module: string; readonly script: string | undefined },
  signal: AbortSignal | undefined,
): Promise<void> {
  const { folder, manager } = await findLocked(root, dirname(join(root, module)));
  const run = async (args: readonly string[]): Promise<void> => {
    // On Windows they are .cmd files, which only a shell can start; no argument has spaces.
    const shell = process.platform === "win32";
    await runProgram(manager.program, args, folder, signal, shell);
  };
  await run(manager.install);
  if (script !== undefined) await run(["run", script]);
}

async function findLocked(root: string, folder: string): Promise<Locked> {
  const manager = await managerIn(folder);
  if (manager !== undefined) return { folder, manager };
  if (folder === root || dirname(folder) === folder) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `There is no lock file of npm, pnpm or yarn beside the module or above it: commit one, or ` +
        `give two folders in which everything is installed.`,
    );
  }
  return await findLocked(root, dirname(folder));
}

async function managerIn(folder: string): Promise<PackageManager | undefined> {
  const has = (name: string): boolean => existsSync(join(folder, name));
  if (has("pnpm-lock.yaml")) {
    return { program: "pnpm", install: ["install", "--frozen-lockfile", "--prefer-offline"] };
  }
  if (has("package-lock.json") || has("npm-shrinkwrap.json")) {
    return { program: "npm", install: ["ci", "--prefer-offline", "--no-audit", "--no-fund"] };
  }
  if (!has("yarn.lock")) return undefined;
  // Yarn 1 has another format, and another word for it.
  const isBerry = /^__metadata:/m.test(await readFile(join(folder, "yarn.lock"), "utf8"));
  return { program: "yarn", install: ["install", isBerry ? "--immutable" : "--frozen-lockfile"] };
}
