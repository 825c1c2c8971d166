// Builds what is out of date, quietly, then runs a command line of the workspace:
//   node scripts/run.mjs <built file> [arguments…]
// What the build prints is shown only when it fails.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { turbo } from "./turbo-program.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const [file, ...args] = process.argv.slice(2);
if (file === undefined) throw new Error("Usage: node scripts/run.mjs <built file> [arguments…]");

const target = resolve(root, file);
if (!existsSync(target)) process.stderr.write("Building streamgauge for the first time…\n");

const build = spawnSync(process.execPath, [turbo, "run", "build", "build:model"], {
  cwd: root,
  encoding: "utf8",
});
if (build.status !== 0) {
  process.stderr.write(build.stdout + build.stderr);
  process.exit(build.status ?? 1);
}

process.argv = [process.execPath, target, ...args];
await import(pathToFileURL(target).href);
