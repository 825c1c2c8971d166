import type { LatencySummary, ResultRecord } from "../record.js";
import { duration, mebibytes, oneDecimal } from "./numbers.js";
import { modeColumns, modeHead, titledTable, type SummaryOptions } from "./table.js";

/** Latency at an offered load, with the waiting and without. */
export function arrivals(
  { arrivals: loads = [] }: ResultRecord,
  options: SummaryOptions,
): string[] {
  const severalWorkers = loads.some(({ workers }) => workers !== 1);
  const rows = loads.map((load) => [
    ...modeColumns(load),
    load.offeredLoad.toFixed(2),
    severalWorkers ? String(load.workers) : "",
    `${oneDecimal(load.arrivalsPerSecond)} / ${oneDecimal(load.completionsPerSecond)}`,
    middleAndTail(load.timeToFirstToken),
    middleAndTail(load.endToEnd),
    middleAndTail(load.serviceTime),
  ]);
  return titledTable(
    "Arrivals at a set rate, ms, p50 / p99 (TTFT and end to end: from the due moment, so that waiting counts):",
    [...modeHead, "load", "workers", "asked / done per s", "TTFT", "end to end", "service only"],
    rows,
    options,
  );
}

/** What stopping costs. */
export function aborts({ aborts: measured = [] }: ResultRecord, options: SummaryOptions): string[] {
  const rows = measured.map(({ abortLatency, ...abort }) => [
    ...modeColumns(abort),
    `${abort.generations} + ${abort.ranToEnd}`,
    duration(abortLatency.p50Nanoseconds),
    duration(abortLatency.p99Nanoseconds),
    duration(abortLatency.maximumNanoseconds),
    countOf(abort.wastedTokens),
    countOf(abort.mostWastedTokens),
  ]);
  return titledTable(
    "Aborting, from the request to the settled result (wasted: made and never delivered):",
    [...modeHead, "aborted + too late", "p50", "p99", "max", "wasted tokens", "most of one"],
    rows,
    options,
  );
}

/** What a consumer does that is slower than the engine. */
export function slowConsumers(
  { slowConsumers: measured = [] }: ResultRecord,
  options: SummaryOptions,
): string[] {
  const rows = measured.map(({ deliveryLatency, ...slow }) => [
    ...modeColumns(slow),
    slow.consumerMicrosecondsPerToken.toFixed(0),
    countOf(slow.ringCapacity),
    slow.slowdown.toFixed(3),
    countOf(slow.mostTokensWaiting),
    deliveryLatency === null ? "-" : duration(deliveryLatency.p50Nanoseconds),
    deliveryLatency === null ? "-" : duration(deliveryLatency.p99Nanoseconds),
    mebibytes(slow.residentGrowthBytes),
  ]);
  const head = [
    "µs/token",
    "ring",
    "time / its own",
    "most waiting",
    "delivery p50",
    "p99",
    "+ MiB",
  ];
  return titledTable(
    "A consumer slower than the engine (time / its own: 1 where it alone sets the pace):",
    [...modeHead, ...head],
    rows,
    options,
  );
}

function middleAndTail(latency: LatencySummary | null): string {
  if (latency === null) return "-";
  return [latency.p50Nanoseconds, latency.p99Nanoseconds]
    .map((nanoseconds) => oneDecimal(nanoseconds / 1e6))
    .join(" / ");
}

function countOf(count: number | null): string {
  return count === null ? "-" : String(count);
}
