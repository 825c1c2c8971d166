/// <reference lib="dom" />
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { chartsOf, renderHtmlReport, renderSvg } from "@streamgauge/report";
import { findNewestFull } from "../src/files/committed-results.js";
import { openChromium } from "./chromium.js";
import { hostile, hostileRecord } from "./hostile-record.js";

/** For whoever wants to see how the page looks. */
const screenshots = fileURLToPath(new URL("../dist/screenshots/", import.meta.url));
const results = fileURLToPath(new URL("../../../results", import.meta.url));
/** The one that the documents are of. */
const { record } = await findNewestFull(results);

let browser: Browser;
let folder: string;
let report: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "streamgauge-page-"));
  report = await put("report.html", await renderHtmlReport(record));
  browser = await openChromium();
});
afterAll(async () => {
  await browser?.close();
  await rm(folder, { recursive: true });
});

async function put(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return pathToFileURL(path).href;
}

let page: Page;
let complaints: string[];
let requests: string[];
async function open(url: string, options: BrowserContextOptions = {}): Promise<void> {
  page = await browser.newPage({ viewport: { width: 1100, height: 900 }, ...options });
  complaints = [];
  requests = [];
  // A violation of the content security policy is a message of the console.
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(url);
}
afterEach(closeQuietly);

async function closeQuietly(): Promise<void> {
  await page.close();
  expect(complaints).toEqual([]);
  expect(requests.filter((url) => !/^(?:file|data):/.test(url))).toEqual([]);
}

/** Opens a folded part by the beginning of its summary. */
async function unfold(summary: string): Promise<void> {
  await page.locator("summary", { hasText: summary }).click();
}

const openAll = (all: Element[]): void => {
  for (const one of all) one.setAttribute("open", "");
};

const scenario = () => page.getByLabel("Scenario", { exact: true });

/** In the record's order; the second is one with several cells. */
function cellsByScenario(): { name: string; count: number }[] {
  const { cells } = record;
  const names = [...new Set(cells.map(({ scenario: name }) => name))];
  const counted = names.map((name) => ({
    name,
    count: cells.filter((cell) => cell.scenario === name).length,
  }));
  const [first, ...rest] = counted;
  return [first!, ...rest.filter(({ count }) => count > 1)];
}

describe("the page of a record", () => {
  it("shows only the scenario that is chosen", async () => {
    await open(report);
    const [first, second] = cellsByScenario();
    const all = record.cells.length;
    const cells = page.locator("section.cell:visible");
    expect(await page.locator("section.cell").count()).toBe(all);
    expect(await cells.count()).toBe(first!.count);
    await unfold("Comparisons");
    await scenario().selectOption({ label: second!.name });
    expect(await cells.count()).toBe(second!.count);
    await page.getByText(`${second!.count} cells shown`).waitFor();
    const comparisons = page.getByRole("region", { name: /Each mode against/ });
    // Both streams and the control.
    expect(await comparisons.locator("tbody tr:visible").count()).toBe(3 * second!.count);
    const options = page.getByLabel("Cell", { exact: true }).locator("option");
    expect(await options.count()).toBe(second!.count);
    await scenario().selectOption("");
    await page.getByText(`${all} cells shown`).waitFor();
  });

  it("stays small enough to be sent", async () => {
    await open(report);
    expect((await page.content()).length).toBeLessThan(3e6);
  });

  it("turns the pages of the runs", async () => {
    await open(report);
    await unfold("Times of single runs");
    await page.getByLabel("Cell", { exact: true }).selectOption({ label: "pequod-pooled-1000" });
    const first = await page.getByText(/^Runs 1 to 40 of \d+$/).textContent();
    const runs = Number(/\d+$/.exec(first ?? ""));
    const lastPage = Math.ceil(runs / 40) - 1;
    expect(lastPage).toBeGreaterThan(0);
    const shown = (turn: number) =>
      `Runs ${40 * turn + 1} to ${Math.min(40 * (turn + 1), runs)} of ${runs}`;
    const previous = page.getByRole("button", { name: "Previous" });
    const next = page.getByRole("button", { name: "Next" });
    expect(await previous.isDisabled()).toBe(true);
    for (let turn = 0; turn < lastPage; turn++) await next.click();
    await page.getByText(shown(lastPage)).waitFor();
    expect(await next.isDisabled()).toBe(true);
    expect(await page.locator("#rows tr").count()).toBe(runs - 40 * lastPage);
    await previous.click();
    await page.getByText(shown(lastPage - 1)).waitFor();
  });

  it("says what a mark is under the pointer, and is silent elsewhere", async () => {
    await open(report);
    const mark = page.locator('path[aria-label^="sync 10 · pequod: "]').last();
    await mark.hover({ force: true });
    const tip = page.locator("#tip");
    expect(await tip.textContent()).toBe(await mark.getAttribute("aria-label"));
    await page.keyboard.press("Escape");
    expect(await tip.isHidden()).toBe(true);
    await mark.hover({ force: true });
    await page.getByRole("heading", { level: 1 }).hover();
    expect(await tip.isHidden()).toBe(true);
  });

  it("can be used from the keyboard, and has landmarks, captions and names", async () => {
    await open(report);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("skip");
    await page.keyboard.press("Tab");
    const contents = page.getByRole("navigation", { name: "Contents" }).getByRole("link");
    expect(await contents.first().evaluate((element) => element === document.activeElement)).toBe(
      true,
    );
    for (const href of await contents.evaluateAll((links) =>
      links.map((link) => link.getAttribute("href")!),
    )) {
      expect(await page.locator(href).count()).toBe(1);
    }
    await scenario().focus();
    await page.keyboard.press("ArrowDown");
    expect(await scenario().inputValue()).not.toBe("");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("SUMMARY");
    for (const role of ["banner", "main", "contentinfo"] as const) {
      expect(await page.getByRole(role).count()).toBe(1);
    }
    await page.locator("details").evaluateAll(openAll);
    const tables = page.getByRole("table");
    expect(await tables.count()).toBe(await page.locator("table > caption").count());
    const unnamed = await page.locator("figure > svg:not([role=img][aria-label])").count();
    expect(unnamed).toBe(0);
  });

  it("is whole without its script", async () => {
    await open(report, { javaScriptEnabled: false });
    const [first, second] = cellsByScenario();
    const all = record.cells.length;
    expect(await page.locator("section.cell").count()).toBe(all);
    await page.getByText(`${second!.name}: ${second!.count} cells`).click();
    expect(await page.locator("section.cell:visible").count()).toBe(first!.count + second!.count);
    expect(await scenario().isVisible()).toBe(false);
    expect(await page.locator("#runs").isVisible()).toBe(false);
  });

  it("keeps the names of calls within their bars", async () => {
    const flames = chartsOf(record).find(({ name }) => name === "flame-graph");
    await open(await put("flames.html", `<!doctype html>${await renderSvg(flames!)}`));
    expect(await page.locator("text[font-family*=monospace]").count()).toBeGreaterThan(10);
    const overflowing = await page.locator("svg").evaluateAll((charts) =>
      charts.flatMap((chart) => {
        const bars = [...chart.querySelectorAll("path[aria-label]")].map((bar) => ({
          name: bar.getAttribute("aria-label") ?? "",
          box: bar.getBoundingClientRect(),
        }));
        const labels = [...chart.querySelectorAll("text[font-family*=monospace]")];
        return labels.flatMap((label) => {
          const { left, right, top, bottom } = label.getBoundingClientRect();
          const middle = (top + bottom) / 2;
          const bar = bars.find(
            ({ box }) =>
              box.left <= left && box.right > left && box.top < middle && box.bottom > middle,
          );
          return bar !== undefined && right <= bar.box.right + 0.5 ? [] : [label.textContent];
        });
      }),
    );
    expect(overflowing).toEqual([]);
  });

  it("is as inert as text where a record's strings are not", async () => {
    await open(await put("hostile.html", await renderHtmlReport(await hostileRecord())));
    expect(await page.title()).toMatch(/^streamgauge report/);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("script").count()).toBe(2);
    await scenario().selectOption({ index: 1 });
    // What the script takes from the data is text again.
    const option = page.getByLabel("Cell", { exact: true }).locator("option").first();
    expect(await option.evaluate((element) => element.children.length)).toBe(0);
    expect(await option.textContent()).toContain(hostile.slice(0, 40));
  });

  it.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 400],
    ["dark", 400],
  ] as const)("fits its window, in a %s room at %i pixels", async (colorScheme, width) => {
    await open(report, { colorScheme, viewport: { width, height: 1250 } });
    await mkdir(screenshots, { recursive: true });
    await page.screenshot({ path: join(screenshots, `report-${colorScheme}-${width}.png`) });
    await page.locator("details").evaluateAll(openAll);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const cut = await page
      .locator(".scroll")
      .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length);
    expect(cut).toBe(0);
    const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const chart = await page
      .locator("figure svg > rect")
      .first()
      .evaluate((element) => getComputedStyle(element).fill);
    expect(paper).toBe(colorScheme === "light" ? "rgb(255, 255, 255)" : "rgb(13, 17, 23)");
    expect(chart).toBe(paper);
  });
});
