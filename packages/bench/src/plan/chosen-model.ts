import { existsSync } from "node:fs";
import { basename } from "node:path";
import { StreamgaugeError, invalidOption } from "@streamgauge/core";
import type { RunPlan } from "../record/index.js";
import { needsRuntime } from "./needs-runtime.js";
import { embeddedModelName } from "./prompts.js";
import { isModelSize, modelSizes } from "./random-model.js";

/** What is measured in the place of the embedded model, and where it is. Plain data. */
export interface ChosenModel {
  /** What tables say: a size, a folder's name, or a name on a hub with the revision that was given. */
  readonly name: string;
  /** Absolute; absent for the embedded model and the sizes. */
  readonly folder?: string;
  /** Which of the folder's graphs; absent: the one that the runtime chooses. */
  readonly dtype?: string;
  /** Of a model of a hub. */
  readonly commit?: string;
}

/**
 * Finds the model that was chosen, as the runtime does. Nothing is downloaded.
 *
 * @param plan what was asked for; with a commit, that one of the hub's model, whatever its revision is by now
 * @returns undefined where none was chosen
 * @throws StreamgaugeError `MODEL_NOT_FOUND` for a folder that is not there, and, with the command that
 *   pulls it, for a model that was not pulled; `INVALID_OPTION` for what is no name on a hub, and for a dtype
 *   where there is nothing to choose; `RUNTIME_MISSING`
 */
export async function findChosenModel({
  model = null,
  dtype,
  modelCommit,
}: Partial<Pick<RunPlan, "model" | "dtype" | "modelCommit">>): Promise<ChosenModel | undefined> {
  if (model === null || model === embeddedModelName || isModelSize(model)) {
    if (dtype !== undefined) {
      throw invalidOption(
        `dtype is "${dtype}", and chooses among the graphs of a model folder: give the folder, or ` +
          `hub:owner/name, by model.`,
      );
    }
    return model === null ? undefined : { name: model };
  }
  const { locateModel } = await needsRuntime(() => import("@streamgauge/runtime"));
  const asked = modelCommit === undefined ? model : `${model.split("@", 1)[0]}@${modelCommit}`;
  const { folder, hub } = locateModel(asked);
  if (!existsSync(folder)) throw missingModel(model);
  return {
    // The name of a folder, not its path: records are shown to others.
    name: hub === undefined ? plainName(basename(folder)) : model.slice(model.indexOf(":") + 1),
    folder,
    ...(dtype !== undefined && { dtype }),
    ...(hub !== undefined && { commit: hub.commit }),
  };
}

/** What the name is in ids, some of which become names of files. */
export function idOfModel({ name, dtype }: ChosenModel): string {
  return plainName(dtype === undefined ? name : `${name}-${dtype}`);
}

/** For a model that is none of those that can be given. */
export function missingModel(model: string): StreamgaugeError {
  return new StreamgaugeError(
    "MODEL_NOT_FOUND",
    `There is no model folder "${model}". Give the path of a folder that holds onnx/model.onnx, ` +
      `hub:owner/name for a model that was pulled, "${embeddedModelName}" for the embedded model, or ` +
      `a size (${modelSizes.join(", ")}) for random weights.`,
  );
}

function plainName(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, "-");
}
