import { oneOf, type Check } from "./shape.js";

/** The treatments in the order in which tables show them. */
export const treatments = ["generate", "control", "stream", "streamAsync"] as const;

/**
 * What is run in each block. `control` is `generate` once more: it shows what
 * the bench reports where there is no difference.
 */
export type Treatment = (typeof treatments)[number];

/** Checks a {@link Treatment}. */
export const treatment: Check<Treatment> = oneOf(...treatments);

/** Checks a {@link Treatment} that is compared with `generate`. */
export const comparedTreatment: Check<Exclude<Treatment, "generate">> = oneOf(
  "control",
  "stream",
  "streamAsync",
);

/** Checks a {@link Treatment} that streams. */
export const streamedTreatment: Check<"stream" | "streamAsync"> = oneOf("stream", "streamAsync");
