import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { inTemporaryFolder } from "./example-record.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const typescript = here("../../../node_modules/typescript/bin/tsc");

/** What a program may ask of the types, none of which is lost with the runtime. */
const program = `
import type { GeneratorPlan, StressRound } from "@streamgauge/bench";
export const ring: NonNullable<GeneratorPlan["ring"]> = { capacity: 8, wait: "block" };
// @ts-expect-error Were the type lost, this comment would be an error.
export const capacity: StressRound["ring"]["capacity"] = "many";
`;

const resolutions = [
  ["nodenext", { module: "nodenext" }],
  ["bundler", { module: "esnext", moduleResolution: "bundler" }],
] as const;

let entries: readonly string[];
beforeAll(async () => {
  const { exports } = JSON.parse(await readFile(here("../package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, unknown>>;
  };
  entries = Object.keys(exports)
    .filter((entry) => !entry.endsWith(".json"))
    .map((entry) => entry.replace(/^\./, "@streamgauge/bench"));
});

/** Installs the types of a package and nothing that it depends on. */
async function installTypes(name: string, folder: string): Promise<void> {
  const from = here(`../../${name}`);
  const to = join(folder, "node_modules", "@streamgauge", name);
  await mkdir(to, { recursive: true });
  await cp(join(from, "package.json"), join(to, "package.json"));
  await cp(join(from, "dist"), join(to, "dist"), {
    recursive: true,
    filter: (path) => !/\.[^/\\]*$/.test(path) || path.endsWith(".d.ts"),
  });
}

/** What the compiler says against our own files, with every declaration checked. */
async function complaints(folder: string, options: object): Promise<readonly string[]> {
  const settings = {
    compilerOptions: {
      target: "es2023",
      lib: ["es2023", "esnext.disposable"],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ["node"],
      typeRoots: [here("../../../node_modules/@types")],
      ...options,
    },
    files: ["entries.ts", "program.ts"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      [typescript, "-p", ".", "--pretty", "false"],
      { cwd: folder },
      (_, stdout, stderr) => resolve(stdout + stderr),
    );
  });
  return output
    .replaceAll("\\", "/")
    .split("\n")
    .filter((line) => /^(entries|program|node_modules\/@streamgauge)|^error/.test(line));
}

describe("the types, where the runtime is not installed", () => {
  it.each(resolutions)("hold under %s without skipLibCheck", async (_, options) => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "package.json"), '{ "type": "module" }');
      await installTypes("core", folder);
      await installTypes("bench", folder);
      const lines = entries.map((entry, index) => `export * as entry${index} from "${entry}";\n`);
      expect(lines.length).toBeGreaterThan(5);
      await writeFile(join(folder, "entries.ts"), lines.join(""));
      await writeFile(join(folder, "program.ts"), program);
      expect(await complaints(folder, options)).toEqual([]);
    });
  });
});
