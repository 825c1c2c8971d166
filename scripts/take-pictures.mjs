// Makes the pictures of the example server in docs/ again:
//   pnpm pictures
// The tests of the browser take them, of the embedded model; pngquant packs them. Needs Chromium
// (CHROMIUM, if it is not /usr/bin/chromium) and pngquant.
import { rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const cwd = join(root, "examples/server");
const shots = join(cwd, "dist/screenshots");

try {
  await execa("pngquant", ["--version"]);
} catch (cause) {
  throw new Error("pngquant packs the pictures. Install it, then run this again.", { cause });
}
await rm(shots, { recursive: true, force: true });
await execa("vitest", ["run", "--config", "vitest.browser.config.ts", "test/page.browser.ts"], {
  cwd,
  preferLocal: true,
  stdio: "inherit",
});
for (const picture of ["server-light.png", "server-dark.png"]) {
  const file = join(root, "docs", picture);
  const flags = ["--force", "--strip", "--nofs", "--speed=1", `--output=${file}`];
  await execa("pngquant", [...flags, "16", join(shots, picture)]);
  process.stdout.write(`docs/${picture}: ${(await stat(file)).size} bytes\n`);
}
