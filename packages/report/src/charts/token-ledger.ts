import { profilesOfKind, type ResultRecord } from "@streamgauge/bench/record";
import { shortModeNames } from "../text/mode-names.js";
import { duration } from "../text/numbers.js";
import { chartText, type Chart } from "./chart.js";
import { chartFrame, namedRows } from "./chart-frame.js";
import { stageColors } from "./palette.js";

const stageNames = {
  published: "publish",
  woken: "wake",
  delivered: "deliver",
  callbackDone: "callback",
} as const;

const stages = Object.keys(stageNames) as (keyof typeof stageNames)[];

/** Where a token's time goes between the model and the user's code: mean of each stage, because means add up. */
export function tokenLedger(record: ResultRecord): Chart | undefined {
  const values = profilesOfKind(record, "ledger").flatMap(
    ({ model, treatment, tokens, findings }) => {
      const label = chartText(`${shortModeNames[treatment]} ${tokens} · ${model}`);
      return findings.stages.map(({ stage, latency }) => ({
        label,
        stage: stageNames[stage],
        order: stages.indexOf(stage),
        microseconds: latency.meanNanoseconds / 1000,
        about: `${label}, ${stageNames[stage]}: ${duration(latency.meanNanoseconds)}`,
      }));
    },
  );
  if (values.length === 0) return undefined;
  const rows = new Set(values.map(({ label }) => label)).size;
  return {
    name: "token-ledger",
    title: "Where a token's time goes",
    description: `Mean time from the model to the user's code, by stage. ${values.map(({ about }) => about).join("; ")}.`,
    spec: chartFrame("Where a token's time goes", "From the model to the user's code", 36 * rows, {
      width: namedRows.plotWidthPixels,
      data: { values },
      mark: { type: "bar", height: 20 },
      encoding: {
        y: {
          field: "label",
          type: "nominal",
          sort: null,
          axis: namedRows.axis,
        },
        x: {
          field: "microseconds",
          type: "quantitative",
          stack: "zero",
          axis: { title: "µs per token, mean", tickCount: 5 },
        },
        color: {
          field: "stage",
          type: "nominal",
          scale: { domain: Object.values(stageNames), range: stageColors },
          legend: { columns: 2 },
        },
        order: { field: "order", type: "quantitative" },
        description: { field: "about", type: "nominal" },
      },
    }),
  };
}
