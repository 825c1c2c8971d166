// `pnpm turbo …` is Turborepo without a prefix before each line.
// `pnpm turbo bench` builds with it, quietly, and then runs the bench itself: Turborepo ends with a
// summary of its own that no option turns off, and gives a task no terminal. The answer comes last,
// as wide as the terminal.
import { spawnSync } from "node:child_process";
import { turbo } from "./turbo-program.mjs";

const args = process.argv.slice(2);
const task = args[0] === "run" ? args.slice(1) : args;
const [name, separator, ...rest] = task;
if (name === "bench" && (separator === undefined || separator === "--")) {
  process.argv.splice(2, Infinity, "packages/bench/dist/cli.js", "bench", ...rest);
  await import("./run.mjs");
} else {
  const { status } = spawnSync(process.execPath, [turbo, "--log-prefix=none", ...args], {
    stdio: "inherit",
  });
  process.exitCode = status ?? 1;
}
