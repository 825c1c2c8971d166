// An empty project with the tarballs installed, and what is tried in it.
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { root } from "./published-packages.mjs";
import { ProgramError, run } from "./programs.mjs";

/** What is tried in a project. */
export const consumerFiles = fileURLToPath(new URL("consumer", import.meta.url));
const typescript = join(root, "node_modules/typescript/bin/tsc");

const compilations = {
  nodenext: { module: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

/**
 * Writes a project that depends on the tarballs.
 *
 * @param {{ folder: string, tarballs: Record<string, string>, others: Record<string, string>,
 *   entries: readonly string[] }} options `tarballs` from package names to file names in the folder
 *   `tarballs` beside the project; `others` are what else it depends on.
 */
export async function createProject({ folder, tarballs, others, entries }) {
  const files = Object.fromEntries(
    Object.entries(tarballs).map(([name, file]) => [name, `file:../tarballs/${file}`]),
  );
  await mkdir(folder, { recursive: true });
  await cp(consumerFiles, folder, { recursive: true });
  await writeJson(join(folder, "package.json"), {
    name: "streamgauge-consumer",
    version: "1.0.0",
    private: true,
    type: "module",
    dependencies: { ...files, ...others },
  });
  const settings = {
    overrides: files,
    // A dependency that a package forgot to declare is not found.
    hoist: false,
    dangerouslyAllowAllBuilds: true,
    // The store is the user's: it must not keep what a script made under our variables.
    sideEffectsCache: false,
  };
  await writeFile(join(folder, "pnpm-workspace.yaml"), stringify(settings));
  await writeEntries(folder, entries);
}

/**
 * Installs into the project, with install scripts: npm 12 and pnpm 10 run none unless they are told.
 *
 * @param {"npm" | "pnpm"} manager
 * @param {{ folder: string, download: boolean, pnpm: readonly string[], signal: AbortSignal }} options
 *   `download` lets onnxruntime-node's script fetch files of CUDA, where it wants to.
 * @throws {ProgramError} with what the manager wrote.
 */
export async function installProject(manager, { folder, download, pnpm, signal }) {
  const [program, ...args] =
    manager === "npm"
      ? ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund"]
      : [...pnpm, "install", "--prefer-offline"];
  const env = {
    npm_config_dangerously_allow_all_scripts: "true",
    ONNXRUNTIME_NODE_INSTALL: download ? undefined : "skip",
  };
  await run(program, args, { cwd: folder, env, signal });
}

/** A module that names every entry, as an ES module and as CommonJS, for the type check. */
async function writeEntries(folder, entries) {
  const lines = (write) => `${entries.map(write).join("\n")}\n`;
  const imports = lines((entry, index) => `export * as entry${index} from "${entry}";`);
  const requires = lines(
    (entry, index) => `import entry${index} = require("${entry}");\nvoid entry${index};`,
  );
  await writeFile(join(folder, "entries.ts"), imports);
  await writeFile(join(folder, "required-entries.cts"), `${requires}export {};\n`);
  for (const [name, options] of Object.entries(compilations)) {
    await writeJson(join(folder, `tsconfig.${name}.json`), {
      compilerOptions: {
        target: "es2023",
        lib: ["es2023", "dom", "esnext.disposable"],
        types: ["node"],
        strict: true,
        noEmit: true,
        // The types of piscina and comlink need it.
        skipLibCheck: true,
        ...options,
      },
      // `import … = require()` is nodenext's.
      files: [
        "consumer.ts",
        "entries.ts",
        ...(name === "nodenext" ? ["required-entries.cts"] : []),
      ],
    });
  }
}

/** Type-checks the consumer, under each way to resolve modules. */
export async function checkTypes(folder, { signal }) {
  for (const name of Object.keys(compilations))
    await run(process.execPath, [typescript, "-p", `tsconfig.${name}.json`], {
      cwd: folder,
      signal,
    });
}

/**
 * Imports and requires each entry in a process of its own.
 *
 * @throws {ProgramError} when one fails, or the two give different names.
 */
export async function importEntries(folder, { node, entries, signal }) {
  for (const entry of entries) {
    const imported = await run(node, ["import.mjs", entry], { cwd: folder, signal });
    const required = await run(node, ["require.cjs", entry], { cwd: folder, signal });
    if (imported !== required)
      throw new ProgramError(
        `${entry} exports other names to require() than to import:\n${imported}\n${required}`,
      );
  }
}

/** Asks each command line for its help. */
export async function runCommandLines(folder, { node, packages, signal }) {
  for (const { manifest } of packages) {
    for (const path of Object.values(manifest.bin ?? {})) {
      const file = join(folder, "node_modules", manifest.name, path);
      const help = await run(node, [file, "--help"], { cwd: folder, signal });
      if (!help.startsWith("Usage:")) throw new ProgramError(`${path} --help says:\n${help}`);
    }
  }
}

/** Runs the embedded model from the installed package, and returns what it wrote. */
export async function runModel(folder, { node, signal }) {
  return JSON.parse(await run(node, ["run-model.mjs"], { cwd: folder, signal }));
}

/** What pnpm or npm put where a package belongs. */
export async function installedManifest(folder, name) {
  return JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8"));
}

async function writeJson(path, value) {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
