// Makes the pictures in docs/ again:
//   pnpm pictures
// The tests of the browser take them, of the newest committed full record and of the embedded model;
// pngquant packs them. Needs Chromium (CHROMIUM, if it is not /usr/bin/chromium) and pngquant.
import { rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Who takes which pictures, and what they are called in docs/. */
const sources = [
  {
    folder: "packages/report",
    tests: ["test/html-report.browser.ts", "test/charts.browser.ts"],
    pictures: {
      "report-light-1280": "report-light",
      "report-dark-1280": "report-dark",
      "charts-light": "charts-light",
      "charts-dark": "charts-dark",
    },
  },
  {
    folder: "examples/server",
    tests: ["test/page.browser.ts"],
    pictures: { "server-light": "server-light", "server-dark": "server-dark" },
  },
];

try {
  await execa("pngquant", ["--version"]);
} catch (cause) {
  throw new Error("pngquant packs the pictures. Install it, then run this again.", { cause });
}
for (const { folder, tests, pictures } of sources) {
  const cwd = join(root, folder);
  const shots = join(cwd, "dist/screenshots");
  await rm(shots, { recursive: true, force: true });
  await execa("vitest", ["run", "--config", "vitest.browser.config.ts", ...tests], {
    cwd,
    preferLocal: true,
    stdio: "inherit",
  });
  for (const [taken, kept] of Object.entries(pictures)) {
    const file = join(root, "docs", `${kept}.png`);
    const colors = kept.startsWith("server") ? "16" : "64";
    await execa("pngquant", [
      "--force",
      "--strip",
      "--nofs",
      "--speed=1",
      `--output=${file}`,
      colors,
      join(shots, `${taken}.png`),
    ]);
    process.stdout.write(`docs/${kept}.png: ${(await stat(file)).size} bytes\n`);
  }
}
