import type { TopLevelSpec } from "vega-lite";

/** What a chart shows, before anything is drawn. */
export interface Chart {
  /** Of its file, without an extension. */
  readonly name: ChartName | HistoryChartName | ClassesChartName;
  readonly title: string;
  /** What a reader who does not see it should know: its axes, and what stands out. */
  readonly description: string;
  readonly spec: TopLevelSpec;
}

/** How many points the charts of a single cell have. */
export interface PointCounts {
  /** Of a curve of percentiles, for each nine. */
  readonly perNine: number;
  /** Over the course of a run; each stands for the blocks around it. With 0 there is no such chart. */
  readonly overTime: number;
}

/** As many as can be told apart. */
export const allPoints: PointCounts = { perNine: 8, overTime: 64 };

/** All charts of a record that there are, in the order in which documents show them. */
export const chartNames = [
  "overhead",
  "break-even",
  "inter-token-latency",
  "throughput",
  "latency-over-time",
  "token-ledger",
  "slowest-gaps",
  "flame-graph",
] as const;

export type ChartName = (typeof chartNames)[number];

/** Of a class of machines, whose name is one of a file. */
export type HistoryChartName = `history-${string}`;

/** Of a claim that classes of machines are compared by, counted from 1. */
export type ClassesChartName = `classes-${number}`;

/** Strings of a record for a chart: on one line, without control characters, no longer than can be read. */
export function chartText(text: string): string {
  // XML has no way to say most control characters, and none for half a surrogate pair.
  const clean = text.replaceAll(/[\s\p{Cc}\p{Cf}\p{Cs}\uFFFE\uFFFF]+/gu, " ").trim();
  const characters = Array.from(clean);
  return characters.length > 60 ? `${characters.slice(0, 59).join("")}…` : clean;
}
