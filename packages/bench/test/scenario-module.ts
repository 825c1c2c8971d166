import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inTemporaryFolder } from "./example-record.js";

/** A module with one scenario over the paced engine, as a user would write it. */
export function tinyModule(stepMicroseconds: number): string {
  return `
import { defineScenario } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
import { createInlineGenerator, pacedModel } from "@streamgauge/runtime";
export const tiny = defineScenario({
  name: "tiny",
  open: () => createInlineGenerator({ model: pacedModel({ stepMicroseconds: ${stepMicroseconds} }) }),
  prompt: [1],
  tokens: [5, 10],
  blocks: 2,
});
`;
}

let modules = 0;

/**
 * Writes a module below this package, where its dependencies are found and git ignores it.
 *
 * @param use is given the module's URL and an empty folder; both are deleted afterwards
 */
export async function withModule<T>(
  source: string,
  use: (url: string, folder: string) => Promise<T>,
): Promise<T> {
  const below = fileURLToPath(new URL("../node_modules/.cache", import.meta.url));
  await mkdir(below, { recursive: true });
  const path = join(below, `module-${process.pid}-${modules++}.bench.mjs`);
  await writeFile(path, source);
  try {
    return await inTemporaryFolder((folder) => use(pathToFileURL(path).href, folder));
  } finally {
    await rm(path);
  }
}
