import type { EndpointMetric, ResultRecord } from "../record/index.js";
import { columns, documentColumn, modeNames, type Table } from "./table.js";
import { count, duration, ratioEstimate } from "./value.js";

const metricNames: Readonly<Record<EndpointMetric, string>> = {
  timeToFirstToken: "TTFT",
  timePerOutputToken: "TPOT",
  endToEndPerToken: "end to end, per token",
};

/** Two endpoints against each other. */
export function endpoints({ cells, endpoints: compared = [] }: ResultRecord): Table {
  const nameOf = (id: string): string => {
    const cell = cells.find((candidate) => candidate.id === id);
    return cell === undefined ? id : `${cell.model} at ${cell.host}`;
  };
  return {
    heading: "Two endpoints",
    title: "Two endpoints in the same blocks, medians and Hodges–Lehmann ratio [95 %]:",
    columns: [
      ...columns("endpoint", "against", "mode", "time", "first", "second", "ratio", "blocks"),
      documentColumn("processes"),
    ],
    rows: compared.map((each) => ({
      values: [
        nameOf(each.cell),
        nameOf(each.against),
        modeNames[each.treatment],
        metricNames[each.metric],
        duration(each.nanoseconds),
        duration(each.againstNanoseconds),
        each.ratio === null ? null : ratioEstimate(each.ratio.hodgesLehmann),
        count(each.blocks),
        count(each.processes),
      ],
    })),
    definitions: ["endpoint ratio"],
  };
}
