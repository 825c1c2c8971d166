import { access, constants } from "node:fs/promises";

/** The browser of the tests that need one. @throws Error that says how to name one */
export async function findChromium(): Promise<string> {
  const path = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  try {
    await access(path, constants.X_OK);
    return path;
  } catch (cause) {
    throw new Error(
      `There is no browser at ${path}: install Chromium, or set the environment variable ` +
        `CHROMIUM to the path of one (Chrome and Edge will do).`,
      { cause },
    );
  }
}
