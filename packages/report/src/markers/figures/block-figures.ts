import {
  describeVariant,
  profilesOfKind,
  transportBaselines,
  transportComparison,
  type Cell,
  type ResultRecord,
  type Treatment,
} from "@streamgauge/bench/record";
import { comparisonOf, distributionOf, modeNames, stageNames } from "@streamgauge/bench/tables";
import { describeClaims } from "../../sections/changelog.js";
import { tokenTimesBlock } from "../../sections/token-times.js";
import {
  duration,
  percentWithInterval,
  ratio,
  ratioWithInterval,
  withInterval,
} from "../../text/numbers.js";
import { alignedTable } from "../../text/aligned-table.js";
import { countOf, lacks, listIn, type Figure, type FigureRequest } from "../figure.js";
import { breakEvenOf } from "./cell-figures.js";
import { mainComparisons, showRatio, showFactor } from "./engine-figures.js";
import { transportsAt } from "./transport-figures.js";

const streamed = ["stream", "streamAsync"] as const;

/** Tables and charts. */
export const blockFigures: Readonly<Record<string, Figure>> = {
  "token-times": {
    about:
      "table: what streaming costs per token, and of a token's time, with the terms; at=1,20 for " +
      "the rows of 1 and 20 ms alone",
    form: "block",
    needs: [],
    takes: ["at"],
    render: (request) => {
      const times = listIn(request, "at").map((time) => `${time} ms`);
      const chosen = times.length === 0 ? undefined : times;
      return tokenTimesBlock(request.record, chosen) || lacks(request, "such cost of a token");
    },
  },
  "overhead-table": table("overheads and verdicts of a scenario", ["scenario"], (request) => [
    ["model", "tokens", ...streamed.map((mode) => `${modeNames[mode]}: overhead, verdict`)],
    ...cellsOf(request).map((cell) => [
      cell.model,
      String(cell.tokens),
      ...streamed.map((mode) => overheadAndVerdict(request.record, cell, mode)),
    ]),
  ]),
  "cost-table": table("absolute costs of a scenario", ["scenario"], (request) => [
    ["cell", "a token takes", ...streamed.map((mode) => `${modeNames[mode]}, µs per token`)],
    ...cellsOf(request).map((cell) => [
      [cell.model, describeVariant(cell), cell.host, `${cell.tokens} tokens`]
        .filter((part) => part !== "")
        .join(", "),
      timeOf(cell, "generate"),
      ...streamed.map((mode) => {
        const cost = comparisonOf(cell, mode)?.costMicrosecondsPerToken.hodgesLehmann;
        return cost === undefined ? "–" : withInterval(cost);
      }),
    ]),
  ]),
  "break-even-table": table("where the limits would be reached", ["scenario"], (request) => [
    ["model", "tokens", "a token takes", ...streamed.map((mode) => `${modeNames[mode]}: limit at`)],
    ...cellsOf(request).map((cell) => [
      cell.model,
      String(cell.tokens),
      timeOf(cell, "generate"),
      ...streamed.map((mode) => breakEvenOf(request.record, cell.id, mode) ?? "–"),
    ]),
  ]),
  "throughput-table": table("throughput and latencies of a scenario", ["scenario"], (request) => [
    ["model", "tokens", "mode", "tokens/s", "first token p50", "p99", "between tokens p50", "p99"],
    ...cellsOf(request).flatMap((cell) =>
      (["generate", ...streamed] as const).map((mode) => [
        cell.model,
        String(cell.tokens),
        modeNames[mode],
        cell.analysis?.treatments
          .find(({ treatment }) => treatment === mode)
          ?.throughputTokensPerSecond.toFixed(0) ?? "–",
        ...(["timeToFirstToken", "interTokenLatency"] as const).flatMap((metric) => {
          const found = distributionOf(cell, mode, metric);
          return [found?.p50Nanoseconds, found?.p99Nanoseconds].map((at) => duration(at ?? null));
        }),
      ]),
    ),
  ]),
  "ledger-table": table("a token's way, by stage", [], (request) => [
    ["model", "mode", "stage", "mean", "p50", "p99"],
    ...profilesOfKind(request.record, "ledger").flatMap(({ model, treatment, findings }) =>
      findings.stages.map(({ stage, latency }) => [
        model,
        modeNames[treatment],
        stageNames[stage],
        duration(latency.meanNanoseconds),
        duration(latency.p50Nanoseconds),
        duration(latency.p99Nanoseconds),
      ]),
    ),
  ]),
  "transport-table": table("ways between threads at a gap in µs", ["gap"], (request) => {
    const [measurement] = transportsAt(request, countOf(request, "gap", 0));
    const [against] = transportBaselines(measurement).others;
    return [
      ["transport", "CPU per token", `over ${against ?? "–"}`, "latency p50", "p99"],
      ...measurement.transports.map((summary) => {
        const { transport, deliveryLatency } = summary;
        const found = transportComparison(measurement, transport, against)?.cpuRatio;
        return [
          transport,
          `${ratio(summary.cpuMicrosecondsPerToken)} µs`,
          found == null ? "–" : ratioWithInterval(found.hodgesLehmann),
          duration(deliveryLatency?.p50Nanoseconds ?? null),
          duration(deliveryLatency?.p99Nanoseconds ?? null),
        ];
      }),
    ];
  }),
  "engine-table": table("the engine against others, with its claims", [], (request) => [
    ["what is compared", "against", "ratio", "times less", "promised", "verdict"],
    ...(request.record.engine ?? []).flatMap((measurement) => {
      const { title, contenders, claims } = measurement;
      return mainComparisons(measurement).map((found) => {
        const claim = claims.find(
          ({ contender, against }) =>
            contender === contenders[0]?.contender && against === found.against,
        );
        return [
          title,
          found.against,
          showRatio(found),
          showFactor(found),
          claim?.promise ?? "–",
          claim?.verdict ?? "–",
        ];
      });
    }),
  ]),
  claims: {
    about: "what became of each claim, as in a changelog",
    form: "block",
    needs: [],
    render: ({ record }) => describeClaims(record).trimEnd(),
  },
  chart: {
    about: "a chart with its words; name= as in docs/charts",
    form: "block",
    needs: ["name"],
    render: (request) => request.chart(request.value("name")),
  },
};

/** A table whose first row is its head. */
function table(
  about: string,
  needs: readonly string[],
  rowsOf: (request: FigureRequest) => readonly (readonly string[])[],
): Figure {
  return {
    about: `table: ${about}`,
    form: "block",
    needs,
    render: (request) => {
      const [head = [], ...rows] = rowsOf(request);
      if (rows.length === 0) lacks(request, about);
      return alignedTable(head, rows);
    },
  };
}

function cellsOf(request: FigureRequest): readonly Cell[] {
  const scenario = request.value("scenario");
  const { cells } = request.record;
  const found = cells.filter((cell) => cell.scenario === scenario);
  if (found.length > 0) return found;
  return lacks(request, `scenario ${scenario}`, [...new Set(cells.map((cell) => cell.scenario))]);
}

function overheadAndVerdict({ claims }: ResultRecord, cell: Cell, mode: Treatment): string {
  const found = mode === "generate" ? undefined : comparisonOf(cell, mode);
  if (found === undefined) return "–";
  const claim = claims.find(
    (candidate) =>
      candidate.cell === cell.id && candidate.treatment === mode && candidate.metric === "overhead",
  );
  const overhead = percentWithInterval(found.overhead.hodgesLehmann);
  return claim === undefined ? overhead : `${overhead}, ${claim.verdict}`;
}

function timeOf({ analysis, tokens }: Cell, mode: Treatment): string {
  const found = analysis?.treatments.find(({ treatment }) => treatment === mode);
  return duration(found === undefined ? null : found.endToEndNanoseconds / tokens);
}
