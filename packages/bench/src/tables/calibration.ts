import type { ResultRecord } from "../record/index.js";
import { column, columns, documentColumn, modeNames, type Table } from "./table.js";
import { count, percent, percentEstimate } from "./value.js";

/**
 * What the bench made of delays that were known: net of what streaming costs
 * without them.
 */
export function calibration({ calibration: points = [] }: ResultRecord): Table {
  const limit = `${((points[0]?.limit ?? 0) * 100).toFixed(1)} %`;
  const blocks = points[0]?.blocksPerExperiment ?? 0;
  return {
    heading: "Calibration: known delays",
    title:
      `Known delays, and the verdicts of experiments of ${blocks} blocks on "< ${limit}"` +
      "; net: without streaming's own cost:",
    columns: [
      ...columns("injected", "mode", `net Hodges–Lehmann [95 %]`, `net mean [95 %]`),
      documentColumn("with streaming's own cost, Hodges–Lehmann"),
      documentColumn("mean"),
      ...columns("recovered", "upheld", "refuted"),
      column("inconcl.", "inconclusive"),
      ...columns("void"),
    ],
    rows: points.map(({ net, overhead, verdicts, ...point }) => ({
      values: [
        percent(point.injectedFraction),
        modeNames[point.treatment],
        percentEstimate(net.hodgesLehmann),
        percentEstimate(net.mean),
        percentEstimate(overhead.hodgesLehmann),
        percentEstimate(overhead.mean),
        point.recovered ? "yes" : "no",
        count(verdicts.upheld),
        count(verdicts.refuted),
        count(verdicts.inconclusive),
        count(verdicts.void),
      ],
    })),
    definitions: ["net overhead"],
    introduction:
      `Both streaming modes were slowed by a known share. Recovered: both net estimates within ` +
      `one percentage point, or their intervals contain the delay. The verdicts are those of experiments of ` +
      `${blocks} blocks on "overhead under ${limit}".`,
  };
}
