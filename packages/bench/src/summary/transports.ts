import {
  describeLoad,
  transportBaselines,
  transportComparison,
  type Estimates,
  type ResultRecord,
  type TransportClaim,
  type TransportMeasurement,
} from "../record.js";
import { duration, ratio, ratioWithInterval } from "./numbers.js";
import { titledTable, type SummaryOptions } from "./table.js";

/** What each way between threads costs: a table for each load, and the claims under it. */
export function transports(
  { transports: measured = [] }: ResultRecord,
  options: SummaryOptions,
): string[] {
  return measured.flatMap((measurement) => [
    ...loadTable(measurement, options),
    ...measurement.claims.map((claim) => sentenceOf(measurement, claim)),
  ]);
}

function loadTable(measurement: TransportMeasurement, options: SummaryOptions): string[] {
  const { load, others } = transportBaselines(measurement);
  const rows = measurement.transports.map((summary) => {
    const { transport, deliveryLatency } = summary;
    const against = (name: string | undefined) => transportComparison(measurement, transport, name);
    const isDelivered = deliveryLatency !== null;
    return [
      transport,
      isDelivered ? (summary.hasBackpressure === true ? "yes" : "no") : "-",
      summary.cpuMicrosecondsPerToken.toFixed(2),
      load === undefined ? "" : (added(against(load)?.addedCpuMicrosecondsPerToken) ?? "-"),
      summary.throughputTokensPerSecond.toFixed(0),
      isDelivered ? duration(deliveryLatency.p50Nanoseconds) : "-",
      isDelivered ? duration(deliveryLatency.p99Nanoseconds) : "-",
      ...others.map((name) => {
        const cpuRatio = isDelivered ? (against(name)?.cpuRatio ?? null) : null;
        return cpuRatio === null ? "-" : ratioWithInterval(cpuRatio.hodgesLehmann);
      }),
    ];
  });
  const title =
    `Between threads, ${describeLoad(measurement)} (${measurement.blocks.length} blocks; CPU: µs per token of\n` +
    "both threads; net: less the load itself; bounded: a slow consumer makes the producer wait):";
  const head = ["transport", "bounded", "CPU", "net", "tokens/s", "latency p50", "p99"];
  return titledTable(title, [...head, ...others.map((name) => `CPU / ${name}`)], rows, options);
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
