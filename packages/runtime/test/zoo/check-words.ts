import type { ModelCheck } from "@streamgauge/runtime";

/** What `checkModel` found, in the course's words. */
export function foundBy({ verdict, refusal, parts }: ModelCheck): string {
  const wrong = parts.find(({ difference, failure }) => difference ?? failure);
  if (wrong === undefined) return refusal?.message ?? verdict;
  const { index, logprob, expectedLogprob } = wrong.difference ?? {};
  return `${wrong.name}: ${wrong.failure ?? `token ${index}, ${logprob} for ${expectedLogprob}`}`;
}

/** How a folder is run, in the order of the documents' columns. */
export interface HowRun {
  readonly cache: string;
  /** How many generations at once. */
  readonly together: string;
  readonly reuse: string;
}

/** How a folder is run, for the documents. */
export function howRun({ description }: ModelCheck): HowRun {
  if (description === undefined) return { cache: "", together: "", reuse: "" };
  const { cache, maxBatch, prefixReuse, reasons } = description;
  // Behind the colon is what onnxruntime said.
  const [alone] = (reasons.maxBatch ?? "").split(":");
  const isExplained = maxBatch === 1 && cache === "in-place";
  return {
    cache: cache === "in-place" ? "in place" : `fetched: ${reasons.cache}`,
    together: isExplained ? `1: ${alone}` : String(maxBatch),
    reuse: prefixReuse,
  };
}
