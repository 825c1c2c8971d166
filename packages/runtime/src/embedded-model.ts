import { fileURLToPath } from "node:url";

/**
 * Absolute path of the embedded model's folder, pequod: a 3.7M-parameter Llama
 * trained for this project, so that everything runs on a real model with
 * nothing to download. It ships with the package; in a clone of the repository
 * `pnpm turbo build` makes it, or `build:model` alone.
 */
export const embeddedModel: string = fileURLToPath(new URL("../models/pequod", import.meta.url));
