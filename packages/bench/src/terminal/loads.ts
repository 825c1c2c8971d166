import type { LatencySummary, ResultRecord } from "../record/index.js";
import { duration, mebibytes, oneDecimal } from "./numbers.js";
import { modeColumns, modeHead, titledTable, type SummaryOptions } from "./table.js";

/** Latency at an offered load, with the waiting and without. */
export function arrivals(
  { arrivals: loads = [] }: ResultRecord,
  options: SummaryOptions,
): string[] {
  const rows = loads.map((load) => [
    ...modeColumns(load),
    load.offeredLoad.toFixed(2) + (load.workers === 1 ? "" : ` of ${load.workers}`),
    `${oneDecimal(load.arrivalsPerSecond)} / ${oneDecimal(load.completionsPerSecond)}`,
    middleAndTail(load.timeToFirstToken),
    middleAndTail(load.endToEnd),
    middleAndTail(load.serviceTime),
  ]);
  return titledTable(
    "Arrivals at a set rate (per s: asked / done; load: of so many workers); ms, p50 / p99, from the\n" +
      "due moment, so that waiting counts; service: end to end without the waiting:",
    [...modeHead, "load", "per s", "TTFT", "end to end", "service"],
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
    "Aborting, from the request to the settled result (late: all was made; wasted: made, never delivered):",
    [...modeHead, "aborted + late", "p50", "p99", "max", "wasted", "at most"],
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
  const head = ["µs/token", "ring", "slowdown", "waiting", "delay p50", "p99", "+ MiB"];
  return titledTable(
    "A consumer slower than the engine (slowdown: 1 where it alone sets the pace; waiting: most tokens):",
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
