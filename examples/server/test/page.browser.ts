import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { pacedModel } from "@streamgauge/runtime";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium } from "../../../packages/core/test/find-chromium.js";
import { serve, type Served } from "./serve.js";

/** Written by the test of the looks; `pnpm pictures` packs them into docs/. */
const screenshots = fileURLToPath(new URL("../dist/screenshots/", import.meta.url));

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: await findChromium(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});
afterAll(() => browser?.close());

let page: Page;
let complaints: string[];
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 800, height: 720 } });
  complaints = [];
  // A violation of the content security policy is a message of the console.
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => void complaints.push(error.message));
});
afterEach(closeQuietly);

async function closeQuietly(): Promise<void> {
  await page.close();
  expect(complaints).toEqual([]);
}

async function ask(prompt: string, settings: { tokens?: number; temperature?: number } = {}) {
  await page.getByLabel("Prompt").fill(prompt);
  if (settings.tokens !== undefined) {
    await page.getByLabel("Most tokens").fill(String(settings.tokens));
  }
  if (settings.temperature !== undefined) {
    await page.getByLabel("Temperature").fill(String(settings.temperature));
  }
}

const status = () => page.getByRole("status");
const completion = () => page.getByRole("log", { name: "Completion" });

describe("the page on a model that keeps time", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve({ model: pacedModel({ stepMicroseconds: 10_000 }), workers: 1 });
  });
  afterAll(() => served?.[Symbol.asyncDispose]());
  beforeEach(() => page.goto(served.server.url));

  it("shows tokens as they come", async () => {
    // Notes how long the text is, whenever the page changes it, until the end.
    await page.evaluate(() => {
      const log = document.getElementById("completion")!;
      const lengths: number[] = [];
      new MutationObserver(() => {
        if (log.ariaBusy === "true") lengths.push(log.textContent.length);
      }).observe(log, { childList: true });
      Object.assign(globalThis, { lengths });
    });
    await ask("Count: ", { tokens: 30, temperature: 0 });
    await page.getByRole("button", { name: "Stream" }).click();
    await status().getByText("finish: length").waitFor();
    const expected = `Count: ${Array.from({ length: 30 }, (_, id) => ` ${id}`).join("")}`;
    expect(await completion().textContent()).toBe(expected);
    const lengths = await page.evaluate(
      () => (globalThis as unknown as { lengths: number[] }).lengths,
    );
    // The network may bring two at once; all of them at once would not be streaming.
    expect(new Set(lengths).size).toBeGreaterThan(10);
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b));
    expect(await page.locator("#count").textContent()).toBe("30");
    expect(Number(await page.locator("#first").textContent())).toBeGreaterThan(0);
    expect(Number(await page.locator("#pace").textContent())).toBeGreaterThan(0);
  });

  it.each(["the button", "the Escape key"])("stops by %s, and the worker is free", async (how) => {
    await ask("Count: ", { tokens: 4000, temperature: 0 });
    await page.getByLabel("Prompt").press("Control+Enter");
    await page.locator(".piece >> nth=5").waitFor();
    expect(await completion().getAttribute("aria-busy")).toBe("true");
    if (how === "the button") await page.getByRole("button", { name: "Stop" }).click();
    else await page.keyboard.press("Escape");
    await status().getByText("Stopped.").waitFor();
    expect(await completion().getAttribute("aria-busy")).toBe("false");
    expect(await page.getByRole("button", { name: "Stream" }).isEnabled()).toBe(true);
    // The only worker can take this because it is free again.
    const { client, model } = served;
    await client.completions.create({ model, prompt: "go", max_tokens: 2 });
    expect(served.runtime.metrics().active).toBe(0);
  });

  it("shows what the server objects to", async () => {
    await ask("go", { temperature: 1 });
    await page.getByRole("button", { name: "Stream" }).click();
    await status().getByText('no use for "temperature"').waitFor();
    // The browser itself notes that the answer was an error.
    expect(complaints.splice(0)).toEqual([expect.stringContaining("400")]);
  });

  it("can be used from the keyboard alone", async () => {
    const order: string[] = [];
    for (let step = 0; step < 5; step++) {
      await page.keyboard.press("Tab");
      order.push(await page.evaluate(() => document.activeElement?.id ?? ""));
    }
    expect(order).toEqual(["prompt", "max-tokens", "temperature", "mark", "stream"]);
  });
});

describe("the page on the embedded model", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
    await mkdir(screenshots, { recursive: true });
  });
  afterAll(() => served?.[Symbol.asyncDispose]());

  it.each(["light", "dark"] as const)("writes, in a %s room", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await page.goto(served.server.url);
    await page.getByText(served.model, { exact: true }).waitFor();
    await ask("It is not down in any map;", { tokens: 120 });
    if (colorScheme === "dark") await page.getByLabel("Mark pieces").check();
    await page.getByRole("button", { name: "Stream" }).click();
    await status().getByText("finish:").waitFor();
    const text = (await completion().textContent()) ?? "";
    expect(text.startsWith("It is not down in any map;")).toBe(true);
    expect(text.length).toBeGreaterThan(100);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const brightness = Number(/\d+/.exec(ground)?.[0]);
    expect(brightness > 127 ? "light" : "dark").toBe(colorScheme);
    await page.screenshot({ path: `${screenshots}server-${colorScheme}.png`, fullPage: true });
  });

  it("fits a narrow screen", async () => {
    await page.setViewportSize({ width: 340, height: 640 });
    await page.goto(served.server.url);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    await page.screenshot({ path: `${screenshots}server-narrow.png`, fullPage: true });
  });
});
