import type { LatencySummary, ResultRecord } from "@streamgauge/bench/record";
import { duration, mebibytes, oneDecimal } from "../text/numbers.js";
import { modeColumns, modeHead, section } from "./section.js";

/** Latency at an offered load, with the waiting and without; nothing where none was offered. */
export function arrivals(record: ResultRecord): string {
  const rows = (record.arrivals ?? []).map((load) => [
    ...modeColumns(load),
    load.offeredLoad.toFixed(2),
    String(load.workers),
    duration(load.aloneNanoseconds),
    oneDecimal(load.arrivalsPerSecond),
    oneDecimal(load.completionsPerSecond),
    middleAndTail(load.timeToFirstToken),
    middleAndTail(load.endToEnd),
    middleAndTail(load.serviceTime),
    middleAndTail(load.callLateness),
    String(load.generations),
  ]);
  return section(record, "Arrivals at a set rate", rows, {
    head: [
      ...modeHead,
      "offered load",
      "workers",
      "one alone",
      "asked for per s",
      "completed per s",
      "time to first token, p50 / p99",
      "end-to-end, p50 / p99",
      "service time, p50 / p99",
      "late calls, p50 / p99",
      "generations",
    ],
    definitions: ["arrivals", "offered load", "latency from the due moment", "service time"],
  });
}

/** What stopping costs; nothing where it was not measured. */
export function aborts(record: ResultRecord): string {
  const rows = (record.aborts ?? []).map(({ abortLatency, ...abort }) => [
    ...modeColumns(abort),
    String(abort.generations),
    String(abort.ranToEnd),
    duration(abortLatency.p50Nanoseconds),
    duration(abortLatency.p99Nanoseconds),
    duration(abortLatency.maximumNanoseconds),
    countOf(abort.wastedTokens),
    countOf(abort.mostWastedTokens),
  ]);
  return section(record, "Aborting", rows, {
    head: [
      ...modeHead,
      "aborted",
      "too late",
      "latency p50",
      "p99",
      "max",
      "wasted tokens, all",
      "most of one",
    ],
    definitions: ["abort latency", "wasted tokens"],
  });
}

/** What a consumer does that is slower than the engine; nothing where there was none. */
export function slowConsumers(record: ResultRecord): string {
  const rows = (record.slowConsumers ?? []).map(({ deliveryLatency, ...slow }) => [
    ...modeColumns(slow),
    `${slow.consumerMicrosecondsPerToken.toFixed(0)} µs`,
    countOf(slow.ringCapacity),
    slow.slowdown.toFixed(3),
    countOf(slow.mostTokensWaiting),
    duration(deliveryLatency?.p50Nanoseconds ?? null),
    duration(deliveryLatency?.p99Nanoseconds ?? null),
    mebibytes(slow.residentGrowthBytes),
  ]);
  return section(record, "A consumer slower than the engine", rows, {
    head: [
      ...modeHead,
      "consumer, per token",
      "slots of the ring",
      "slowdown",
      "most tokens waiting",
      "delivery latency p50",
      "p99",
      "resident set grew by",
    ],
    definitions: ["slow consumer"],
  });
}

function middleAndTail(latency: LatencySummary | null): string {
  if (latency === null) return "–";
  return `${duration(latency.p50Nanoseconds)} / ${duration(latency.p99Nanoseconds)}`;
}

function countOf(count: number | null): string {
  return count === null ? "–" : String(count);
}
