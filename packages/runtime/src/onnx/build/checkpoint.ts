import { access } from "node:fs/promises";
import { basename, join } from "node:path";

import { StreamgaugeError } from "@streamgauge/core";

import { isJsonObject, readJsonObject } from "../../json-object.js";
import { openSafetensors, type SafetensorsFile } from "./safetensors.js";

/** A tensor of a checkpoint. */
export interface CheckpointTensor {
  readonly shape: readonly number[];
  /** The file it is in, for errors. */
  readonly path: string;
  /** Its numbers; see `SafetensorsFile`. */
  pieces(): AsyncIterable<Float32Array<ArrayBuffer>>;
}

/** The open weight files of a checkpoint. One reader at a time; close it when done. */
export interface Checkpoint {
  /** What names its tensors: the only weight file, or the index of several. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  close(): Promise<void>;
}

/**
 * Opens the weights of a Hugging Face checkpoint: `model.safetensors`, or the
 * files that `model.safetensors.index.json` names. Headers are read and checked,
 * weights are not.
 *
 * @throws StreamgaugeError `MODEL_NOT_FOUND`, `MODEL_CORRUPT` or `MODEL_UNSUPPORTED`
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const single = join(folder, "model.safetensors");
  const index = join(folder, "model.safetensors.index.json");
  if (await exists(single)) return openFiles(single, [single]);
  const content = await readJsonObject(index);
  if (content !== undefined) return openSharded(folder, index, content["weight_map"]);
  throw new StreamgaugeError(
    "MODEL_NOT_FOUND",
    `${folder} holds neither model.safetensors nor model.safetensors.index.json. Give the folder ` +
      `of a Hugging Face checkpoint; if its weights are in another format, save them as safetensors.`,
  );
}

async function openSharded(folder: string, index: string, map: unknown): Promise<Checkpoint> {
  const corrupt = (what: string): StreamgaugeError =>
    new StreamgaugeError(
      "MODEL_CORRUPT",
      `${index} is damaged: ${what}. Download the checkpoint again.`,
    );
  if (!isJsonObject(map)) throw corrupt("it has no weight_map");
  const files = new Set<string>();
  for (const [tensor, file] of Object.entries(map)) {
    // A path could lead anywhere.
    if (typeof file !== "string" || basename(file) !== file || !file.endsWith(".safetensors")) {
      throw corrupt(`it puts tensor ${tensor} into ${JSON.stringify(file)}, which is no file name`);
    }
    files.add(file);
  }
  const paths = [...files].map((file) => join(folder, file));
  const checkpoint = await openFiles(index, paths);
  try {
    for (const [tensor, file] of Object.entries(map)) {
      const path = join(folder, String(file));
      if (checkpoint.tensors.get(tensor)?.path === path) continue;
      throw corrupt(`it puts tensor ${tensor} into ${String(file)}, which does not hold it`);
    }
  } catch (error) {
    await checkpoint.close();
    throw error;
  }
  return checkpoint;
}

async function openFiles(path: string, paths: readonly string[]): Promise<Checkpoint> {
  const files: SafetensorsFile[] = [];
  const tensors = new Map<string, CheckpointTensor>();
  const close = async (): Promise<void> => {
    for (const file of files) await file.close();
  };
  try {
    for (const each of paths) {
      const file = await openSafetensors(each);
      files.push(file);
      for (const [name, { shape }] of file.tensors) {
        const other = tensors.get(name);
        if (other !== undefined) {
          throw new StreamgaugeError(
            "MODEL_CORRUPT",
            `Tensor ${name} is in ${other.path} and in ${each}. Download the checkpoint again.`,
          );
        }
        tensors.set(name, { shape, path: each, pieces: () => file.pieces(name) });
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { path, tensors, close };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
