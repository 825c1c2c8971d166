import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { createInlineGenerator } from "@streamgauge/runtime";
import { expect, it } from "vitest";
import { buildHubModel, hubPrompt } from "./hub-model.js";
import { temporaryFolder } from "./temporary-folder.js";

const graphName = join("onnx", "model.onnx");

/** Has half of the weights in a second file, whose name is as long as the first's. */
async function splitWeights(model: string): Promise<void> {
  const [first, second] = ["model.onnx_data", "model.onnx_dat2"];
  const graph = await readFile(join(model, graphName));
  let count = 0;
  for (let at = graph.indexOf(first); at !== -1; at = graph.indexOf(first, at + 1)) {
    if (count++ % 2 === 1) graph.write(second, at);
  }
  expect(count).toBeGreaterThan(2);
  await writeFile(join(model, graphName), graph);
  const weights = await readFile(join(model, "onnx", first));
  await writeFile(join(model, "onnx", second), weights);
}

/** Moves a folder's files to `blobs`, under other names, and leaves links, as the hub's cache has them. */
async function asInCache(model: string): Promise<string> {
  const cache = await temporaryFolder();
  const snapshot = join(cache, "snapshots", "0123abcd");
  await mkdir(join(cache, "blobs"));
  for (const folder of ["", "onnx"]) {
    await mkdir(join(snapshot, folder), { recursive: true });
    for (const entry of await readdir(join(model, folder), { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = join(model, folder, entry.name);
      const hash = createHash("sha256").update(file).digest("hex");
      await rename(file, join(cache, "blobs", hash));
      const target = relative(join(snapshot, folder), join(cache, "blobs", hash));
      await symlink(target, join(snapshot, folder, entry.name));
    }
  }
  return snapshot;
}

async function idsOf(model: string): Promise<readonly number[]> {
  await using generator = await createInlineGenerator({ model });
  return (await generator.generate(hubPrompt, { maxTokens: 12, ignoreEos: true })).ids;
}

it.each<[string, boolean, (model: string) => Promise<void>]>([
  ["in the graph's file", false, () => Promise.resolve()],
  ["in a file beside it", true, () => Promise.resolve()],
  ["in several files beside it", true, splitWeights],
])("a folder of the hub's cache runs, with its weights %s", async (_, external, change) => {
  const expected = await idsOf(await buildHubModel({ externalData: false }));
  const model = await buildHubModel({ externalData: external });
  await change(model);
  expect(await idsOf(model)).toEqual(expected);
  expect(await idsOf(await asInCache(model))).toEqual(expected);
});

it("finds weights beside the graph that a link leads to, where there are none beside the link", async () => {
  const model = await buildHubModel({ externalData: true });
  const expected = await idsOf(model);
  const linked = join(await temporaryFolder(), "linked");
  await mkdir(join(linked, "onnx"), { recursive: true });
  for (const name of ["config.json", graphName])
    await symlink(join(model, name), join(linked, name));
  expect(await idsOf(linked)).toEqual(expected);
});

it.each(["config.json", graphName, join("onnx", "model.onnx_data"), "tokenizer.json"])(
  "an incomplete download is refused: %s is a link to nothing",
  async (name) => {
    const model = await asInCache(await buildHubModel({ externalData: true }));
    await rm(join(model, name), { force: true });
    await symlink(join("..", "..", "blobs", "missing"), join(model, name));
    await expect(createInlineGenerator({ model })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining(`${join(model, name)} is a link to `) as string,
    });
  },
);

it("weights that are not there are refused by name", async () => {
  const model = await buildHubModel({ externalData: true });
  await rm(join(model, "onnx", "model.onnx_data"));
  await expect(createInlineGenerator({ model })).rejects.toMatchObject({
    code: "MODEL_CORRUPT",
    message: expect.stringMatching(
      /cannot load .*model\.onnx: it has weights in .*model\.onnx_data/,
    ) as string,
  });
});
