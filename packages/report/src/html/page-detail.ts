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

/** The most first. The last one is for records whose cells alone would fill a page. */
export const pageDetails: readonly PageDetail[] = [
  { runs: 24_000, points: allPoints },
  { runs: 12_000, points: { perNine: 4, overTime: 24 } },
  { runs: 6_000, points: { perNine: 2, overTime: 8 } },
  { runs: 6_000, points: undefined },
];

/** What is left out of a page, in words; nothing where everything is in it. */
export function omissions({ points }: PageDetail): string {
  if (points === allPoints) return "";
  const charts =
    points === undefined
      ? "there are no charts of single cells"
      : `charts of single cells have ${points.perNine} points for each nine and ${points.overTime} over the run`;
  return `The record is large, and this page is kept below 3 MB: ${charts}. The record has all.`;
}
