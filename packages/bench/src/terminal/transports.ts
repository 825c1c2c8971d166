import {
  describeLoad,
  transportBaselines,
  transportComparison,
  type Estimates,
  type ResultRecord,
  type TransportClaim,
  type TransportMeasurement,
} from "../record/index.js";
import { duration, ratio, ratioWithInterval } from "./numbers.js";
import { titledTable, type SummaryOptions } from "./table.js";

/** What each way between threads costs: a part for each load, with the claims about it. */
export function transports(
  { transports: measured = [] }: ResultRecord,
  options: SummaryOptions,
): string[][] {
  return measured.map((measurement) => [
    ...loadTable(measurement, options),
    ...measurement.claims.map((claim) => sentenceOf(measurement, claim)),
  ]);
}

function loadTable(measurement: TransportMeasurement, options: SummaryOptions): string[] {
  const { load, others } = transportBaselines(measurement);
  const isBounded = measurement.transports.every(({ hasBackpressure }) => hasBackpressure === true);
  const rows = measurement.transports.map((summary) => {
    const { transport, deliveryLatency } = summary;
    const against = (name: string | undefined) => transportComparison(measurement, transport, name);
    const isDelivered = deliveryLatency !== null;
    return [
      transport,
      isBounded ? "" : isDelivered ? (summary.hasBackpressure === true ? "yes" : "no") : "-",
      summary.cpuMicrosecondsPerToken.toFixed(2),
      load === undefined ? "" : (added(against(load)?.addedCpuMicrosecondsPerToken) ?? "-"),
      summary.throughputTokensPerSecond.toFixed(0),
      isDelivered ? duration(deliveryLatency.p50Nanoseconds) : "-",
      isDelivered ? duration(deliveryLatency.p99Nanoseconds) : "-",
      ...others.map((name, index) => {
        const cpuRatio = isDelivered ? (against(name)?.cpuRatio ?? null) : null;
        if (cpuRatio === null) return "-";
        // There is room for one interval; the report has them all.
        const { hodgesLehmann } = cpuRatio;
        return index === 0 ? ratioWithInterval(hodgesLehmann) : ratio(hodgesLehmann.value);
      }),
    ];
  });
  const title =
    `Between threads, ${describeLoad(measurement)} (${measurement.blocks.length} blocks; CPU: µs per token of both threads` +
    (load === undefined ? "" : ";\nnet: less the load itself") +
    (isBounded ? "" : "; bounded: a slow consumer makes the producer wait") +
    "; p50, p99: delivery latency):";
  const head = ["transport", "bounded", "CPU", "net", "tokens/s", "p50", "p99"];
  return titledTable(
    title,
    [...head, ...others.map((name, index) => (index === 0 ? `CPU / ${name}` : `/ ${name}`))],
    rows,
    options,
  );
}

function sentenceOf(
  measurement: TransportMeasurement,
  { transport, against, limit, verdict, reasons }: TransportClaim,
): string {
  const cpuRatio = transportComparison(measurement, transport, against)?.cpuRatio ?? null;
  const shown = cpuRatio === null ? "-" : ratioWithInterval(cpuRatio.hodgesLehmann);
  return [
    `CPU of ${transport} / CPU of ${against}: ${shown}; limit < ${limit}: ${verdict}.`,
    ...(verdict === "upheld" ? [] : reasons),
  ].join(" ");
}

function added(estimates: Estimates | null | undefined): string | undefined {
  return estimates === null || estimates === undefined
    ? undefined
    : ratio(estimates.hodgesLehmann.value);
}
