import { trialColumns, trialNote, trialRows } from "@streamgauge/bench/gate";
import type { CommittedResults } from "../files/committed-results.js";
import { escapeMarkdown, list, table } from "../text/markdown-text.js";
import { percent } from "../text/numbers.js";

/** How often the gate cries wolf on identical code, and how often it sees what was slowed. */
export function gateTrials({ gateTrials: trials }: CommittedResults): string {
  if (trials === undefined) return "";
  const { files, threshold, work, rows } = trials;
  const engine =
    work.stepMicroseconds === null
      ? "the embedded model"
      : `the paced engine at ${work.stepMicroseconds} µs per token`;
  return [
    "## The gate on identical code",
    escapeMarkdown(
      `streamgauge gate --self-test with a threshold of ${percent(threshold)}, on ${engine}: ` +
        `${work.pairs} pairs of processes, ${work.generations} generations of ${work.tokens} ` +
        `tokens a run. From ${files.map((file) => `results/${file}`).join(", ")}.`,
    ),
    table(trialColumns, trialRows(rows)),
    list([
      trialNote,
      "caught: the gate found a regression of the slowed metric. False alarm: it found one of any other.",
    ]),
  ].join("\n\n");
}
