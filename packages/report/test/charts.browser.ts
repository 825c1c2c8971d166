/// <reference lib="dom" />
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openChromium } from "./chromium.js";

const charts = fileURLToPath(new URL("../../../docs/charts/", import.meta.url));
/** For whoever wants to see how charts look. */
const screenshots = fileURLToPath(new URL("../dist/screenshots/", import.meta.url));
/** Of a phone, and of a column of a page: charts are made to be read at it. */
const width = 400;

/** 0 wide is no image; in a much wider one letters are too small at {@link width}. */
const isReadable = (own: number): boolean => own > 0 && own < 1.2 * width;

let browser: Browser;
let folder: string;
let sheet: string;
beforeAll(async () => {
  browser = await openChromium();
  folder = await mkdtemp(join(tmpdir(), "streamgauge-charts-"));
  const names = (await readdir(charts)).filter((name) => name.endsWith(".svg")).toSorted();
  // As a document shows them: as images, which take the theme of the reader's system.
  const images = await Promise.all(
    names.map(async (name) => {
      const svg = await readFile(join(charts, name));
      return `<img alt="${name}" width="${width}" src="data:image/svg+xml;base64,${svg.toString("base64")}">`;
    }),
  );
  const style =
    ":root{color-scheme:light dark}body{margin:8px;columns:3;column-gap:8px}" +
    "img{display:block;break-inside:avoid;margin-bottom:8px}";
  await writeFile(
    join(folder, "sheet.html"),
    `<!doctype html><style>${style}</style>${images.join("")}`,
  );
  sheet = pathToFileURL(join(folder, "sheet.html")).href;
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

describe("the committed charts", () => {
  it.each(["light", "dark"] as const)("are drawn in a %s room", async (colorScheme) => {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1232, height: 600 } });
    await page.goto(sheet);
    const images = await page.locator("img").evaluateAll((found) =>
      found.map((image) => {
        const { alt, naturalWidth } = image as HTMLImageElement;
        return { alt, naturalWidth };
      }),
    );
    expect(images.length).toBeGreaterThan(0);
    for (const image of images) {
      expect(image).toMatchObject({ naturalWidth: expect.toSatisfy(isReadable) });
    }
    await mkdir(screenshots, { recursive: true });
    await page.screenshot({
      path: join(screenshots, `charts-${colorScheme}.png`),
      fullPage: true,
    });
    await page.close();
  });
});
