import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { StreamgaugeError, invalidOption } from "@streamgauge/core";
import { genaiConfigName, readGenaiConfig } from "../engine/genai-config.js";
import { graphPlaces } from "../engine/graph-places.js";
import { readModelSettings } from "../engine/model-settings.js";
import { namedFile } from "../named-file.js";
import { namedWeightFiles } from "../onnx/lean-model.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import type { HubFile } from "./hub-files.js";

type Files = ReadonlyMap<string, HubFile>;

/** What a folder says of itself beside its graphs; the configuration comes last. */
const companions = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  genaiConfigName,
  "config.json",
];

/** A graph, and what it is stored as: undefined where the folder has the one only. */
export interface ChosenGraph {
  readonly file: HubFile;
  readonly dtype: ModelDtype | undefined;
}

/** The small files that say how the graphs are used. */
export function companionFiles(files: Files): HubFile[] {
  return companions.flatMap((name) => files.get(name) ?? []);
}

/**
 * Which graph would be opened, by the rules of the runtime.
 *
 * @param blobOf where the companion files lie already
 * @throws StreamgaugeError `MODEL_NOT_FOUND` where the model has no such graph, `MODEL_CORRUPT`,
 *   `MODEL_UNSUPPORTED` for configurations as when they are opened; `INVALID_OPTION` for a dtype
 *   where there is nothing to choose
 */
export async function chooseGraph(
  name: string,
  files: Files,
  wanted: ModelDtype | undefined,
  blobOf: (file: HubFile) => string,
): Promise<ChosenGraph> {
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-pull-"));
  try {
    for (const file of companionFiles(files)) await copyFile(blobOf(file), join(folder, file.path));
    const hasGraphFolder = [...files.keys()].some((path) => path.startsWith("onnx/"));
    if (files.has(genaiConfigName) && !hasGraphFolder) {
      if (wanted !== undefined) {
        throw invalidOption(
          `dtype is "${wanted}", and ${name} has one graph, which its ${genaiConfigName} names: leave ` +
            `dtype out.`,
        );
      }
      const { graphFile } = await readGenaiConfig(folder);
      const path = graphFile.slice(folder.length + 1).replaceAll("\\", "/");
      return {
        file: files.get(path) ?? missingFile(name, path, genaiConfigName),
        dtype: undefined,
      };
    }
    const dtype = wanted ?? (await readModelSettings(folder)).dtype ?? "fp32";
    return { file: graphOf(files, dtype) ?? missingGraph(name, files, dtype), dtype };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * The files in which a graph has weights.
 *
 * @param blob where the graph lies
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for one outside of the graph's folder,
 *   `MODEL_NOT_FOUND` where the hub does not have it, `MODEL_CORRUPT` for what is no graph
 */
export async function weightFiles(
  name: string,
  files: Files,
  graph: HubFile,
  blob: string,
): Promise<HubFile[]> {
  const folder = posix.dirname(graph.path);
  return [...(await namedWeightFiles(blob))].map((location) => {
    namedFile(folder, location, `${graph.path} of ${name}`);
    const path = posix.join(folder, location);
    return files.get(path) ?? missingFile(name, path, graph.path);
  });
}

function graphOf(files: Files, dtype: ModelDtype): HubFile | undefined {
  return graphPlaces(dtype).flatMap((place) => files.get(place) ?? [])[0];
}

function missingFile(name: string, path: string, namedBy: string): never {
  throw new StreamgaugeError(
    "MODEL_NOT_FOUND",
    `${name} has no ${path}, which its ${namedBy} names: ask its makers, or take another revision.`,
  );
}

function missingGraph(name: string, files: Files, dtype: ModelDtype): never {
  const others = modelDtypes.filter((other) => graphOf(files, other) !== undefined);
  const remedy =
    others.length === 0
      ? "It has no graph at all: look for one whose name ends in -ONNX, or download its checkpoint " +
        "and run `streamgauge build-model`."
      : `It has the model as ${others.join(", ")}: choose one by --dtype.`;
  throw new StreamgaugeError(
    "MODEL_NOT_FOUND",
    `${name} has none of ${graphPlaces(dtype).join(", ")}. ${remedy}`,
  );
}
