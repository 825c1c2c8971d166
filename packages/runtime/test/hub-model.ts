import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInlineGenerator, type PullOptions } from "@streamgauge/runtime";
import { buildRandomModel, type BuildRandomModelOptions } from "@streamgauge/runtime/onnx";
import { expect } from "vitest";
import { filesIn, hubModel, serveHub, type HubServer } from "./hub-server.js";
import { smallShape } from "./tiny-shape.js";
import { temporaryFolder } from "./temporary-folder.js";

/** Ids that {@link buildHubModel}'s models continue. */
export const hubPrompt: readonly number[] = [3, 14, 15, 92];

/**
 * A model with random weights as it may lie on a hub: a `config.json` and graphs, without a tokenizer.
 *
 * @returns its folder, which is deleted when the test ends
 */
export async function buildHubModel(
  options: Partial<Pick<BuildRandomModelOptions, "seed" | "dtypes" | "externalData">> = {},
): Promise<string> {
  const out = join(await temporaryFolder(), "model");
  await buildRandomModel({ shape: smallShape, seed: 7, out, ...options });
  return out;
}

/** A hub that serves one model, until the test ends. */
export interface ServedModel {
  readonly hub: HubServer;
  /** The model's files, by path. */
  readonly files: Record<string, Buffer>;
  /** The largest of them, at {@link hubGraphPath}. */
  readonly graph: Buffer;
  /** What pulls the model. */
  readonly options: PullOptions;
}

/** Where a model's graph lies. */
export const hubGraphPath = "onnx/model.onnx";

/** Serves what {@link buildHubModel} builds. */
export async function serveHubModel(): Promise<ServedModel> {
  const files = await filesIn(await buildHubModel());
  const hub = await serveHub(files);
  const graph = files[hubGraphPath] ?? Buffer.alloc(0);
  return { hub, files, graph, options: { name: hubModel, endpoint: hub.endpoint } };
}

/** Where a cache keeps the hub's model. */
export function repositoryIn(cache: string): string {
  return join(cache, "models--owner--tiny");
}

/** There is nothing that an opener could take for a model. */
export function expectNoModel(cache: string): void {
  expect(existsSync(join(repositoryIn(cache), "snapshots"))).toBe(false);
  expect(existsSync(join(repositoryIn(cache), "refs"))).toBe(false);
}

/** Whether a model of the cache generates by its name; otherwise it must be refused as missing. */
export async function opens(name: string = hubModel): Promise<boolean> {
  try {
    await using generator = await createInlineGenerator({ model: `hub:${name}` });
    const { ids } = await generator.generate(hubPrompt, { maxTokens: 4, ignoreEos: true });
    return ids.length > 0;
  } catch (error) {
    expect(error).toMatchObject({ code: "MODEL_NOT_FOUND" });
    return false;
  }
}
