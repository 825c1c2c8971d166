/// <reference lib="dom" />
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { openChromium } from "./chromium.js";
import { exportedText } from "./exported.js";
import { wholeRecord } from "./whole-record.js";

/** As `speedscope <file>` opens one: a script that hands it over. */
it("is opened by speedscope itself", async () => {
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-speedscope-"));
  const browser = await openChromium();
  try {
    const content = Buffer.from(await exportedText("speedscope", await wholeRecord()));
    const script = join(folder, "profile.js");
    await writeFile(
      script,
      `speedscope.loadFileFromBase64("record.speedscope.json", "${content.toString("base64")}")`,
    );
    const app = createRequire(import.meta.url).resolve("speedscope/dist/release/index.html");
    const page = await browser.newPage({ viewport: { width: 1000, height: 700 } });
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`${pathToFileURL(app).href}#localProfilePath=${script}`);
    await page.getByText("main: pequod, pooled, sync stream, 10 tokens").first().waitFor();
    await page.getByText("Sandwich").click();
    // A function of the first thread: with those that it called, by itself, name.
    await page.getByRole("row", { name: /^13\.00µs \(65%\)\s+9\.00µs \(45%\)\s+poll$/ }).waitFor();
    expect(complaints).toEqual([]);
  } finally {
    await browser.close();
    await rm(folder, { recursive: true });
  }
});
