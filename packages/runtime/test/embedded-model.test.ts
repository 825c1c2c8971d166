import { spawnSync } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

it("a clone without the embedded model says how to build it", async () => {
  const clone = join(await temporaryFolder(), "clone");
  await mkdir(clone);
  for (const part of ["dist", "package.json"]) {
    await cp(join(packageFolder, part), join(clone, part), { recursive: true });
  }
  await symlink(join(packageFolder, "node_modules"), join(clone, "node_modules"), "junction");
  const script = `
    const { createRuntime } = await import("./dist/index.js");
    await createRuntime().catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: clone,
    encoding: "utf8",
  });
  expect(stdout).toMatch(/^MODEL_NOT_FOUND .*`pnpm turbo build:model`/);
});
