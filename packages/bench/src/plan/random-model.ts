import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { messageOf } from "@streamgauge/core";
import type { BuildDtype } from "@streamgauge/runtime/onnx";
import { needsRuntime } from "./needs-runtime.js";

/** Models with random weights, by their number of parameters: as fast as trained ones. */
export const modelSizes = ["15M", "42M", "135M"] as const;

/** One of {@link modelSizes}. */
export type ModelSize = (typeof modelSizes)[number];

/** Whether a plan's model is a size. */
export function isModelSize(model: string): model is ModelSize {
  return modelSizes.some((size) => size === model);
}

/** How far the build of a model is. */
export interface ModelBuildProgress {
  readonly model: ModelSize;
  readonly folder: string;
  readonly writtenBytes: number;
  readonly totalBytes: number;
}

export interface RandomModelOptions {
  /** Called after each tensor, only while a model is built. */
  readonly onProgress?: ((progress: ModelBuildProgress) => void) | undefined;
  /** Where models are kept. Default: {@link modelCacheFolder} of the working directory. */
  readonly cacheFolder?: string | undefined;
  /** Ends a build; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How its numbers are stored, one graph for each. Default: fp32 alone. */
  readonly dtypes?: readonly BuildDtype[] | undefined;
  /** What it is built for; see `buildRandomModel()`. Default: this runtime. */
  readonly format?: "onnx" | "gguf" | undefined;
}

/** Any; the speed of random weights does not depend on it. */
const seed = 1851;

/**
 * The folder of a model with random weights; built when it is asked for the
 * first time (135M are 540 MB, and a few seconds), and kept. It appears when it
 * is complete or not at all, so that several processes may ask at once: each
 * builds, and the first one's is kept.
 *
 * @throws StreamgaugeError what `buildRandomModel` throws, and what `onProgress` does
 */
export async function randomModel(
  size: ModelSize,
  {
    onProgress,
    cacheFolder = modelCacheFolder(process.cwd()),
    dtypes = ["fp32"],
    format = "onnx",
    signal,
  }: RandomModelOptions = {},
): Promise<string> {
  const { buildRandomModel, llamaPresets } = await needsRuntime(
    () => import("@streamgauge/runtime/onnx"),
  );
  const shape = llamaPresets[size];
  const others = dtypes.filter((dtype) => dtype !== "fp32");
  const kind = format === "onnx" ? others : [format, ...others];
  const target = join(cacheFolder, [size, ...kind, await builderHash(shape)].join("-"));
  if (existsSync(target)) return target;
  await mkdir(cacheFolder, { recursive: true });
  // On the same file system, where renaming is one step.
  const workshop = await mkdtemp(join(cacheFolder, `.${size}-`));
  try {
    const out = join(workshop, "model");
    await buildRandomModel({
      shape,
      seed,
      out,
      dtypes,
      format,
      ...(signal !== undefined && { signal }),
      onProgress: ({ writtenBytes, totalBytes }) =>
        onProgress?.({ model: size, folder: target, writtenBytes, totalBytes }),
    });
    await rename(out, target).catch((error: unknown) => {
      // A folder is not renamed onto another that is not empty: somebody was faster.
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
  return target;
}

/**
 * `node_modules/.cache/streamgauge/models` of the nearest package around a
 * folder, which is where tools keep what they can make again; in the system's
 * temporary folder where there is no package.
 */
export function modelCacheFolder(from: string): string {
  const folder = resolve(from);
  if (existsSync(join(folder, "package.json"))) {
    return join(folder, "node_modules", ".cache", "streamgauge", "models");
  }
  const parent = dirname(folder);
  return parent === folder ? join(tmpdir(), "streamgauge", "models") : modelCacheFolder(parent);
}

/**
 * Changes when what is built may: with the shape, the seed, and the code of the
 * builder itself.
 */
async function builderHash(shape: object): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("@streamgauge/runtime/onnx");
  const hash = createHash("sha256").update(JSON.stringify([shape, seed]));
  try {
    const files = await readdir(dirname(entry), { recursive: true });
    const names = files.filter((name) => name.endsWith(".js"));
    for (const name of names.toSorted()) hash.update(await readFile(join(dirname(entry), name)));
  } catch (error) {
    // Bundled into one file, perhaps: better rebuilt once too often than never.
    hash.update(messageOf(error));
  }
  return hash.digest("hex").slice(0, 12);
}
