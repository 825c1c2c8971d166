import type { Cell, ResultRecord, Treatment } from "../record/index.js";
import { comparisonOf, hasSeveralProcesses, processesOf } from "./comparisons.js";
import { cellColumns, cellValues, columns, documentColumn, type Table } from "./table.js";
import {
  count,
  decimal,
  decimalEstimate,
  percentEstimate,
  several,
  tokensPerSecond,
  type Value,
} from "./value.js";

/** What streaming costs per token in each cell, and what the user's code takes of it. */
export function costs(record: ResultRecord): Table {
  const analysed = record.cells.filter(({ analysis }) => analysis !== null);
  const rows = analysed.map((cell) => {
    const both = [comparisonOf(cell, "stream"), comparisonOf(cell, "streamAsync")];
    return {
      cell,
      values: [
        ...cellValues(cell),
        tokensPerSecond(cell.analysis?.treatments[0]?.throughputTokensPerSecond ?? 0),
        ...both.map((found) => decimalEstimate(found?.costMicrosecondsPerToken.hodgesLehmann)),
        ...both.map((found) => decimalEstimate(found?.costMicrosecondsPerToken.mean)),
        percentEstimate(comparisonOf(cell, "control")?.overhead.hodgesLehmann),
        count(cell.blocks.length),
        callbackTimes(cell),
        processesOf(...both),
        several([breakEven(record, cell, "stream"), breakEven(record, cell, "streamAsync")]),
      ],
    };
  });
  const isTimed = analysed.some((cell) => callbackTimes(cell) !== "");
  return {
    heading: "Absolute cost",
    title:
      "Absolute cost of streaming, µs per token [95 %]; tokens/s: of generate(); control: generate() against itself" +
      (isTimed ? "; callback: time in your code, sync / async:" : ":"),
    columns: [
      ...cellColumns,
      ...columns("tokens/s", "sync stream", "async stream"),
      documentColumn("sync stream, mean"),
      documentColumn("async stream, mean"),
      ...columns("control", "blocks", "callback", "processes"),
      documentColumn("break-even, sync / async"),
    ],
    rows,
    introduction:
      "How many µs more a token takes than with generate(): Hodges–Lehmann estimates, unless another is named. " +
      "Control: generate() against itself. Callback: time in the user's code, sync / async.",
    definitions: [
      "absolute cost",
      "break-even",
      ...(hasSeveralProcesses(record) ? ["sample level"] : []),
    ],
  };
}

/** In the two streaming modes; empty where it is not timed. */
function callbackTimes({ analysis }: Cell): Value {
  const timeOf = (treatment: Treatment): Value | undefined => {
    const microseconds = analysis?.treatments.find(
      (summary) => summary.treatment === treatment,
    )?.callbackMicrosecondsPerToken;
    return microseconds === undefined ? undefined : decimal(microseconds);
  };
  return several([timeOf("stream"), timeOf("streamAsync")]);
}

function breakEven({ claims }: ResultRecord, cell: Cell, mode: Treatment): Value | undefined {
  const claim = claims.find(
    (candidate) =>
      candidate.cell === cell.id && candidate.treatment === mode && candidate.metric === "overhead",
  );
  const microseconds = claim?.breakEvenMicrosecondsPerToken ?? null;
  return microseconds === null ? undefined : decimal(microseconds);
}
