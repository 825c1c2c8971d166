import { oneOf, type Check } from "./shape.js";

/** Whose code a function is. */
export type CodeCategory =
  | "engine"
  | "ring"
  | "adapter"
  | "tokenizer"
  | "onnxruntime"
  /** Pool and task entry: the runtime's own, piscina's and comlink's. */
  | "host"
  | "bench"
  | "user"
  | "node"
  | "garbage collection"
  | "other";

/** Checks a {@link CodeCategory}. */
export const codeCategory: Check<CodeCategory> = oneOf(
  "engine",
  "ring",
  "adapter",
  "tokenizer",
  "onnxruntime",
  "host",
  "bench",
  "user",
  "node",
  "garbage collection",
  "other",
);
