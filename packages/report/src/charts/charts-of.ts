import type { Cell, ResultRecord } from "@streamgauge/bench/record";
import { headlineCell } from "@streamgauge/bench/summary";
import { breakEven } from "./break-even.js";
import { allPoints, type Chart, type PointCounts } from "./chart.js";
import { flameGraph } from "./flame-graph.js";
import { latencyOverTime } from "./latency-over-time.js";
import { overheadForest } from "./overhead-forest.js";
import { percentileCurves } from "./percentile-curves.js";
import { slowestGaps } from "./slowest-gaps.js";
import { throughputByTokens } from "./throughput-by-tokens.js";
import { tokenLedger } from "./token-ledger.js";

/** The charts that a record has data for. Those of one cell are of the one that stands for all. */
export function chartsOf(record: ResultRecord): readonly Chart[] {
  const cell = headlineCell(record);
  return present([
    overheadForest(record),
    breakEven(record),
    percentileCurves(cell),
    throughputByTokens(record),
    latencyOverTime(cell),
    tokenLedger(record),
    slowestGaps(record),
    flameGraph(record),
  ]);
}

/** The charts of a single cell, with fewer points where many cells have to share a page. */
export function chartsOfCell(cell: Cell, points: PointCounts = allPoints): readonly Chart[] {
  return present([percentileCurves(cell, points), latencyOverTime(cell, points)]);
}

function present(charts: readonly (Chart | undefined)[]): readonly Chart[] {
  return charts.filter((chart) => chart !== undefined);
}
