import { oneOf, type Check } from "./shape.js";

/** What became of a claim. */
export type Verdict = "upheld" | "refuted" | "inconclusive" | "void";

/** Checks a {@link Verdict}. */
export const verdict: Check<Verdict> = oneOf("upheld", "refuted", "inconclusive", "void");
