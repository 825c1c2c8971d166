import type { ResultRecord } from "@streamgauge/bench/record";
import { codeBlock, table } from "../text/markdown-text.js";

/** The files that every number of a cell can be derived from again; nothing where there are none. */
export function rawSamples({ cells }: ResultRecord): string {
  const rows = cells.flatMap(({ id, rawSamples: samples }) =>
    samples ? [[id, samples.file, String(samples.byteLength), samples.sha256]] : [],
  );
  if (rows.length === 0) return "";
  return [
    "## Raw samples",
    "Beside the record. To derive blocks, histograms, analyses and verdicts again from them:",
    codeBlock(["pnpm streamgauge verify <folder of the record>"]),
    table(["cell", "file", "bytes", "SHA-256"], rows),
  ].join("\n\n");
}
