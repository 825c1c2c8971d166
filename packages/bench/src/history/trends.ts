import { changePoints, defaultSmallestSegment, median } from "../statistics/index.js";
import type { MachineHistory } from "./history-file.js";

/** How one metric developed on one class of machines. */
export interface Trend {
  readonly metric: string;
  /** In the order of the history; commits without the metric are left out. */
  readonly points: readonly { readonly commit: string; readonly value: number }[];
  readonly changes: readonly TrendChange[];
}

/** A commit from which on a metric was another. */
export interface TrendChange {
  readonly commit: string;
  /** Where it is among the points. */
  readonly index: number;
  /** Medians, from the change before to this one and from this one to the next. */
  readonly before: number;
  readonly after: number;
  /** Share of series without a change that look as much like one. */
  readonly significance: number;
}

/** Draws those series; fixed, so that a history reads the same every time. */
const seed = 1851;

/** With fewer, no change can be found: there are so many on each side of one. */
export const fewestCommits: number = 2 * defaultSmallestSegment;

/** The trend of each metric, by name. Machines are never mixed: this takes one history. */
export function trendsOf({ lines }: MachineHistory): Trend[] {
  const names = new Set(lines.flatMap(({ metrics }) => Object.keys(metrics)));
  return [...names].toSorted().map((metric) => {
    const points = lines.flatMap(({ commit, metrics }) => {
      // A metric may be called as something that objects inherit.
      const value = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
      return value === undefined ? [] : [{ commit, value }];
    });
    return { metric, points, changes: changesOf(points) };
  });
}

function changesOf(points: Trend["points"]): TrendChange[] {
  const values = points.map(({ value }) => value);
  const found = changePoints(values, { seed });
  const ends = [0, ...found.map(({ index }) => index), values.length];
  return found.map(({ index, significance }, at) => ({
    commit: points[index]!.commit,
    index,
    before: median(values.slice(ends[at], index)),
    after: median(values.slice(index, ends[at + 2])),
    significance,
  }));
}
