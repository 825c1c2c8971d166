import { chromium, type Browser } from "playwright-core";
import { findChromium } from "../../core/test/find-chromium.js";

/** A browser that asks nothing of a network by itself. */
export async function openChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: await findChromium(),
    args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
  });
}
