import { oneOf, type Check } from "./shape.js";

/**
 * What is run in each block. `control` is `generate` once more: it shows what
 * the bench reports where there is no difference.
 */
export type Treatment = "generate" | "control" | "stream" | "streamAsync";

/** The treatments in the order in which tables show them. */
export const treatments: readonly Treatment[] = ["generate", "control", "stream", "streamAsync"];

/** Checks a {@link Treatment}. */
export const treatment: Check = oneOf(...treatments);
