import { modeNames } from "@streamgauge/bench/tables";
import {
  fewestCommits,
  readMetricName,
  trendsOf,
  type HistoryLine,
  type MachineHistory,
  type MetricName,
  type Trend,
} from "@streamgauge/bench/history";
import { chartText, type Chart } from "./chart.js";
import { panelFrame } from "./chart-frame.js";
import { modeScale, modeShapeScale } from "./palette.js";

/** More panels would make a chart that is taller than a screen. */
const mostPanels = 4;

/** More would be closer than points are wide; the newest are shown. */
const mostCommits = 48;

/** A metric's trend, and what it is of. */
interface NamedTrend extends MetricName, Pick<Trend, "points" | "changes"> {}

/** The charts of all histories that have a time per token, in their order. */
export function historyTrends(histories: readonly MachineHistory[] = []): readonly Chart[] {
  return histories.map(historyTrend).filter((chart) => chart !== undefined);
}

/**
 * Time per token from commit to commit on one class of machines, with the commits
 * that changed it: a panel for each of the cells that most commits were measured
 * in. Points are joined from where on there are enough of them to find a change; a
 * shorter history has one panel.
 */
function historyTrend(history: MachineHistory): Chart | undefined {
  const isEnough = history.lines.length >= fewestCommits;
  // A few points need no panels: one cell shows all there is to see.
  const trends = shownTrends(history, isEnough ? mostPanels : 1);
  if (trends.length === 0) return undefined;
  const measured = new Set(trends.flatMap(({ points }) => points.map(({ commit }) => commit)));
  const commits = history.lines.filter(({ commit }) => measured.has(commit)).slice(-mostCommits);
  const labels = new Map(commits.map((line) => [line.commit, labelOf(line)]));
  const values = trends.flatMap((trend) => valuesOf(trend, labels));
  const modes = drawn.filter((mode) => trends.some(({ treatment }) => treatment === mode));
  const named = chartText(history.machine);
  return {
    name: `history-${history.machine}`,
    title: `Time per token by commit, ${named}`,
    description: describe(values, { commits: commits.length, isEnough }),
    spec: panelFrame(
      "Time per token by commit",
      isEnough ? named : [named, "Too few commits to find a change."],
      isEnough ? 90 : 150,
      {
        values,
        panel: { field: "cell", order: [...new Set(values.map(({ cell }) => cell))] },
        layer: layers({ modes, labels: [...labels.values()], isEnough, values }),
      },
    ),
  };
}

const drawn = ["generate", "stream", "streamAsync"] as const;

/** The trends that there is room for: cells with most commits, then as the newest commit has them. */
function shownTrends(history: MachineHistory, mostCells: number): NamedTrend[] {
  const all = trendsOf(history).flatMap(({ metric, points, changes }): NamedTrend[] => {
    const name = readMetricName(metric);
    return name?.quantity === "µs/token" ? [{ ...name, points, changes }] : [];
  });
  const newest = Object.keys(history.lines.at(-1)?.metrics ?? {}).map(
    (metric) => readMetricName(metric)?.cell,
  );
  const commitsOf = (cell: string): number =>
    Math.max(...all.map((trend) => (trend.cell === cell ? trend.points.length : 0)));
  const place = (cell: string): number => (newest.indexOf(cell) + newest.length) % newest.length;
  const cells = [...new Set(all.map(({ cell }) => cell))]
    .toSorted((a, b) => commitsOf(b) - commitsOf(a) || place(a) - place(b))
    .slice(0, mostCells);
  return cells.flatMap((cell) =>
    drawn.flatMap((mode) => all.filter((trend) => trend.cell === cell && trend.treatment === mode)),
  );
}

/** A point of the chart. */
interface Value {
  readonly cell: string;
  readonly mode: string;
  readonly label: string;
  readonly value: number;
  /** From here on the metric was another. */
  readonly isChange: boolean;
  readonly about: string;
}

function valuesOf(
  { cell: id, treatment, points, changes }: NamedTrend,
  labels: ReadonlyMap<string, string>,
): Value[] {
  const cell = chartText(id);
  const mode = modeNames[treatment];
  return points.flatMap(({ commit, value }) => {
    const label = labels.get(commit);
    if (label === undefined) return [];
    const change = changes.find((each) => each.commit === commit);
    const changed =
      change === undefined
        ? ""
        : `, changed from ${change.before} to ${change.after} (p = ${change.significance.toFixed(3)})`;
    const about = `${mode}, ${cell}, ${label}: ${value} µs per token${changed}`;
    return [{ cell, mode, label, value, isChange: change !== undefined, about }];
  });
}

function layers(options: {
  readonly modes: readonly (typeof drawn)[number][];
  readonly labels: readonly string[];
  readonly isEnough: boolean;
  readonly values: readonly Value[];
}): object[] {
  const { modes, labels, isEnough, values } = options;
  const mode = { field: "mode", type: "nominal" };
  const x = {
    field: "label",
    type: "ordinal",
    scale: { domain: labels },
    axis:
      labels.length > 3
        ? { title: null, labelAngle: -35, labelOverlap: true }
        : { title: null, labelAngle: 0, labelOverlap: false },
  };
  const color = { ...mode, scale: modeScale(modes) };
  const y = {
    field: "value",
    type: "quantitative",
    scale: { zero: true },
    axis: { title: "µs per token", tickCount: 4 },
  };
  return [
    ...(values.some(({ isChange }) => isChange)
      ? [
          {
            transform: [{ filter: "datum.isChange" }],
            mark: { type: "rule", strokeDash: [4, 3], strokeWidth: 1.5 },
            encoding: { x, color },
          },
        ]
      : []),
    ...(isEnough ? [{ mark: { type: "line", strokeWidth: 1.5 }, encoding: { x, y, color } }] : []),
    {
      mark: { type: "point", filled: true, size: 45, opacity: 1 },
      encoding: {
        x,
        y,
        color,
        shape: { ...mode, scale: modeShapeScale(modes) },
        description: { field: "about", type: "nominal" },
      },
    },
  ];
}

function describe(
  values: readonly Value[],
  { commits, isEnough }: { readonly commits: number; readonly isEnough: boolean },
): string {
  const changes = values.filter(({ isChange }) => isChange);
  const found = !isEnough
    ? `Too few to find a change, which takes ${fewestCommits}.`
    : changes.length === 0
      ? "No change was found."
      : `Changes: ${changes.map(({ about }) => about).join("; ")}.`;
  const names = [...new Set(values.map(({ mode, cell }) => `${mode}, ${cell}`))];
  const trends = names.map((name) => {
    const series = values.filter(({ mode, cell }) => `${mode}, ${cell}` === name);
    const ends = [...new Set([series[0], series.at(-1)])];
    return `${name}: ${ends.map((end) => end?.value).join(" → ")}`;
  });
  return `${commits === 1 ? "1 commit" : `${commits} commits, oldest first`}. ${found} First and last, in µs: ${trends.join("; ")}.`;
}

/** Short enough for an axis: month and day, and the commit. */
function labelOf({ measuredAt, commit }: HistoryLine): string {
  return `${measuredAt.slice(5, 10)} ${commit.slice(0, 7)}`;
}
