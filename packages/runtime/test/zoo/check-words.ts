import type { ModelCheck } from "@streamgauge/runtime";

/** What `checkModel` found, in the course's words. */
export function foundBy({ verdict, refusal, parts }: ModelCheck): string {
  const wrong = parts.find(({ difference, failure }) => difference ?? failure);
  if (wrong === undefined) return refusal?.message ?? verdict;
  const { index, logprob, expectedLogprob } = wrong.difference ?? {};
  return `${wrong.name}: ${wrong.failure ?? `token ${index}, ${logprob} for ${expectedLogprob}`}`;
}

/** How a folder is run, for the documents. */
export function howRun({ description }: ModelCheck): string {
  if (description === undefined) return "";
  const { cache, maxBatch, prefixReuse, reasons } = description;
  // Behind the colon is what onnxruntime said.
  const [alone] = (reasons.maxBatch ?? "").split(":");
  const single = cache === "fetched" ? "one at a time" : `one at a time (${alone})`;
  const together = maxBatch === 1 ? single : `${maxBatch} at once`;
  const where = cache === "in-place" ? "in place" : `fetched (${reasons.cache})`;
  return `${where}; ${together}; reuse: ${prefixReuse}`;
}
