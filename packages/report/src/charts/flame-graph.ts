import {
  profilesOfKind,
  type CallTree,
  type CallTreeNode,
  type ProfileOf,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { oneDecimal, percent } from "../text/numbers.js";
import { chartText, type Chart } from "./chart.js";
import { chartFrame } from "./chart-frame.js";
import { barsOf, type Bar } from "./flame-layout.js";
import { categoryScale, ink, paper } from "./palette.js";

const widthPixels = 390;
const rowPixels = 18;
/** All letters have this width, whichever font a system has: no name leaves its bar. */
const labelFont = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const labelFontPixels = 10.5;
const letterPixels = 0.61 * labelFontPixels;
/** Narrower ones are no wider than the line between two. */
const leastShare = 2 / widthPixels;

/**
 * Whose code the threads were in, and who called it, per thread: the main one and
 * the busiest worker of the last CPU profile that has its calls.
 */
export function flameGraph(record: ResultRecord): Chart | undefined {
  const profile = profilesOfKind(record, "cpuProfile").findLast(({ findings }) =>
    (findings.callTrees ?? []).some(({ nodes }) => nodes.length > 0),
  );
  if (profile === undefined) return undefined;
  const threads = shownThreads(profile).map((tree) => flameOf(tree));
  const bars = threads.flatMap(({ bars: own }) => own);
  let top = 0;
  const placed = threads.map((flame) => {
    const heading = top + 0.5;
    const floor = top + 1 + flame.rows;
    top = floor + 0.4;
    return { ...flame, heading, floor };
  });
  const values = placed.flatMap(({ thread, floor, bars: own }) =>
    own.map((bar) => ({
      from: bar.from,
      to: bar.from + bar.share,
      top: floor - bar.depth - 1,
      bottom: floor - bar.depth,
      middle: floor - bar.depth - 0.5,
      whose: bar.node.category,
      label: labelOf(bar),
      about: aboutOf(thread, bar),
    })),
  );
  const headings = placed.map(({ heading, title }) => ({ heading, title }));
  const { model, treatment, tokens } = profile;
  const title = `Where CPU time goes, ${modeNames[treatment]}`;
  const y = { type: "quantitative", scale: { domain: [top, 0], nice: false }, axis: null };
  const x = { type: "quantitative", scale: { domain: [0, 1], nice: false }, axis: null };
  return {
    name: "flame-graph",
    title: `${title}, ${chartText(model)}`,
    description:
      `Each bar is a function, above the one that called it, and as wide as its share of the ` +
      `thread's busy time over ${tokens} tokens. ${threads.map(({ words }) => words).join(" ")}`,
    spec: chartFrame(
      title,
      [chartText(model), "Above each function: what it called."],
      rowPixels * top,
      {
        width: widthPixels,
        layer: [
          {
            data: { values },
            mark: { type: "rect", fillOpacity: 0.32, stroke: paper, strokeWidth: 1 },
            encoding: {
              x: { field: "from", ...x },
              x2: { field: "to" },
              y: { field: "top", ...y },
              y2: { field: "bottom" },
              color: {
                field: "whose",
                type: "nominal",
                scale: categoryScale(bars.map(({ node }) => node.category)),
                legend: { columns: 3, symbolOpacity: 0.5, symbolType: "square" },
              },
              description: { field: "about", type: "nominal" },
            },
          },
          {
            data: { values: values.filter(({ label }) => label !== "") },
            mark: {
              type: "text",
              align: "left",
              dx: 3,
              font: labelFont,
              fontSize: labelFontPixels,
              fill: ink,
              aria: false,
            },
            encoding: {
              x: { field: "from", ...x },
              y: { field: "middle", ...y },
              text: { field: "label", type: "nominal" },
            },
          },
          {
            data: { values: headings },
            mark: { type: "text", align: "left", fontSize: 12, fontWeight: "bold", fill: ink },
            encoding: {
              x: { datum: 0, ...x },
              y: { field: "heading", ...y },
              text: { field: "title", type: "nominal" },
            },
          },
        ],
      },
    ),
  };
}

function shownThreads({ findings }: ProfileOf<"cpuProfile">): readonly CallTree[] {
  const trees = (findings.callTrees ?? []).filter(({ nodes }) => nodes.length > 0);
  const busyOf = ({ thread }: CallTree): number =>
    findings.threads.find((own) => own.thread === thread)?.busyMicrosecondsPerToken ?? 0;
  const workers = trees
    .filter(({ thread }) => thread !== "main")
    .toSorted((first, second) => busyOf(second) - busyOf(first));
  return [...trees.filter(({ thread }) => thread === "main"), ...workers.slice(0, 1)];
}

function flameOf(tree: CallTree) {
  const bars = barsOf(tree, leastShare);
  const self = tree.nodes.map(({ selfMicrosecondsPerToken }) => selfMicrosecondsPerToken);
  const busy = self.reduce((sum, own) => sum + own, 0);
  const thread = chartText(tree.thread);
  const hottest = tree.nodes
    .toSorted((first, second) => second.selfMicrosecondsPerToken - first.selfMicrosecondsPerToken)
    .slice(0, 3)
    .map(
      (node) =>
        `${nameOf(node)} (${node.category}) ${percent(node.selfMicrosecondsPerToken / busy)}`,
    );
  return {
    thread,
    bars,
    rows: bars.reduce((most, { depth }) => Math.max(most, depth + 1), 0),
    title: `${thread}, ${oneDecimal(busy)} µs per token`,
    words: `${thread}: ${oneDecimal(busy)} µs per token, most by themselves: ${hottest.join(", ")}.`,
  };
}

/** As much of the name as fits; nothing where that says nothing. */
function labelOf({ node, share }: Bar): string {
  const letters = Math.floor((share * widthPixels - 6) / letterPixels);
  const name = Array.from(nameOf(node));
  if (name.length <= letters) return name.join("");
  return letters < 4 ? "" : `${name.slice(0, letters - 1).join("")}…`;
}

/** By where it is, when it has no name. */
function nameOf({ name, file, line }: CallTreeNode): string {
  if (name !== "(anonymous)") return chartText(name);
  return file === "" ? "native code" : chartText(`${file.split("/").at(-1)}:${line}`);
}

function aboutOf(thread: string, { node, share, microsecondsPerToken }: Bar): string {
  const place = node.file === "" ? "" : `, ${chartText(`${node.file}:${node.line}`)}`;
  return `${thread}: ${nameOf(node)}, ${percent(share)}, ${oneDecimal(microsecondsPerToken)} µs per token${place}`;
}
