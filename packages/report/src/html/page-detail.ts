import { allPoints, type PointCounts } from "../charts/chart.js";

/** What a page may weigh, so that it can be sent by mail. */
export const mostBytes = 2_900_000;

/** How much of a record a page shows. */
export interface PageDetail {
  /** Single runs, of all cells together. */
  readonly runs: number;
  /** Of the charts of each cell; undefined where there are none. */
  readonly points: PointCounts | undefined;
}

/** The most first. */
export const pageDetails: readonly PageDetail[] = [
  { runs: 24_000, points: allPoints },
  { runs: 12_000, points: { perNine: 4, overTime: 24 } },
  { runs: 8_000, points: { perNine: 2, overTime: 8 } },
  { runs: 8_000, points: { perNine: 2, overTime: 0 } },
];

/** For records of more cells than a page has room for charts of. */
export const withoutCellCharts: PageDetail = { runs: 8_000, points: undefined };

/** What is left out of a page, in words; nothing where everything is in it. */
export function omissions({ points }: PageDetail): string {
  if (points === allPoints) return "";
  return (
    `The record is large, and this page stays below 3 MB: ${chartsOfCells(points)}. ` +
    "The record has everything."
  );
}

function chartsOfCells(points: PageDetail["points"]): string {
  if (points === undefined) return "there are no charts of single cells";
  const { perNine, overTime } = points;
  const overRun = overTime === 0 ? "none over the run" : `${overTime} over the run`;
  return `charts of single cells have fewer points (${perNine} for each tenfold rarer percentile, ${overRun})`;
}
