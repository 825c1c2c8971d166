import type { ResultRecord } from "@streamgauge/bench/record";
import { modeNames } from "../text/mode-names.js";
import { percent, percentWithInterval } from "../text/numbers.js";
import { section } from "./section.js";

/** What the bench made of known delays; nothing where none were injected. */
export function calibration(record: ResultRecord): string {
  const { calibration: points = [] } = record;
  const [first] = points;
  if (first === undefined) return "";
  const isNet = points.some(({ net }) => net !== undefined);
  const rows = points.map(({ treatment, injectedFraction, overhead, net, recovered, verdicts }) => [
    percent(injectedFraction),
    modeNames[treatment],
    percentWithInterval(overhead.hodgesLehmann),
    percentWithInterval(overhead.mean),
    net === undefined ? "" : percentWithInterval(net.hodgesLehmann),
    net === undefined ? "" : percentWithInterval(net.mean),
    recovered ? "yes" : "no",
    String(verdicts.upheld),
    String(verdicts.refuted),
    String(verdicts.inconclusive),
    String(verdicts.void),
  ]);
  return section(record, "Calibration: known delays", rows, {
    head: [
      "injected",
      "mode",
      "estimate (Hodges–Lehmann)",
      "estimate (mean)",
      "net (Hodges–Lehmann)",
      "net (mean)",
      "recovered",
      "upheld",
      "refuted",
      "inconclusive",
      "void",
    ],
    definitions: isNet ? ["net overhead"] : [],
    introduction:
      `Both streaming modes were slowed by a known share. Recovered: both ` +
      `${isNet ? "net " : ""}estimates within one percentage point, or their intervals hold it. ` +
      `The verdicts are those of experiments of ${first.blocksPerExperiment} blocks on "overhead ` +
      `under ${percent(first.limit)}".`,
  });
}
