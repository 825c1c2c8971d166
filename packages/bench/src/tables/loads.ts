import type { LatencySummary, RecordMeasurements, ResultRecord } from "../record/index.js";
import type { TeeWayName } from "../record/tee.js";
import {
  column,
  columns,
  documentColumn,
  modeColumns,
  modeNames,
  modeValues,
  type Table,
} from "./table.js";
import {
  count,
  cpuTime,
  decimal,
  decimalEstimate,
  duration,
  memory,
  milliseconds,
  percent,
  several,
  tokensPerSecond,
  type Value,
} from "./value.js";

/** The measurements beside the cells that have one table: those with more have a file of their own. */
type Load = Exclude<keyof RecordMeasurements, "transports" | "stacks" | "engine" | "profiles">;

/** A table for each of these measurements, in reading order. */
export function loads(record: ResultRecord): Table[] {
  return Object.values(tableOf).map((table) => table(record));
}

/** How free the consuming thread is while tokens arrive. */
function mainThread({ mainThread: measurements }: ResultRecord): Table {
  const period = measurements[0]?.timer.periodMilliseconds;
  return {
    heading: "The main thread while tokens arrive",
    title: "The main thread while tokens arrive (busy: event-loop utilisation):",
    columns: [
      ...columns("model", "host", "mode"),
      column("busy", "event-loop utilisation"),
      ...columns("tokens/s", `${period} ms timer fired`, "late p50", "p99", "max"),
    ],
    rows: measurements.map(({ timer, ...measurement }) => ({
      values: [
        measurement.model,
        measurement.host,
        modeNames[measurement.treatment],
        percent(measurement.eventLoopUtilization),
        tokensPerSecond(measurement.throughputTokensPerSecond),
        `${timer.fires} of ${timer.expectedFires}`,
        milliseconds(timer.p50LatenessNanoseconds),
        milliseconds(timer.p99LatenessNanoseconds),
        milliseconds(timer.maximumLatenessNanoseconds),
      ],
    })),
    definitions: ["timer lateness"],
  };
}

/** Latency at an offered load, with the waiting and without. */
function arrivals({ arrivals: measured = [] }: ResultRecord): Table {
  return {
    heading: "Arrivals at a set rate",
    title:
      "Arrivals at a set rate (per s: asked / done; load: in workers); times in ms, p50 / p99, from the\n" +
      "due moment, waiting included; service: end to end without the waiting:",
    columns: [
      ...modeColumns,
      column("load", "offered load"),
      column("per s", "asked for / completed per s"),
      documentColumn("one alone"),
      column("TTFT", "time to first token (ms), p50 / p99"),
      column("end to end", "end-to-end (ms), p50 / p99"),
      column("service", "service time (ms), p50 / p99"),
      documentColumn("late calls (ms), p50 / p99"),
      documentColumn("generations"),
    ],
    rows: measured.map((load) => ({
      values: [
        ...modeValues(load),
        load.offeredLoad.toFixed(2) + (load.workers === 1 ? "" : ` of ${load.workers}`),
        several([decimal(load.arrivalsPerSecond), decimal(load.completionsPerSecond)]),
        duration(load.aloneNanoseconds),
        middleAndTail(load.timeToFirstToken),
        middleAndTail(load.endToEnd),
        middleAndTail(load.serviceTime),
        middleAndTail(load.callLateness),
        count(load.generations),
      ],
    })),
    definitions: ["arrivals", "offered load", "latency from the due moment", "service time"],
  };
}

/** What stopping costs. */
function aborts({ aborts: measured = [] }: ResultRecord): Table {
  return {
    heading: "Aborting",
    title:
      "Aborting, from the abort to the settled result (late: all was made; wasted: made, not delivered):",
    columns: [
      ...modeColumns,
      column("aborted + late", "aborted + too late"),
      column("p50", "latency p50"),
      column("p99", "p99"),
      column("max", "max"),
      column("wasted", "wasted tokens, all"),
      column("at most", "most of one"),
    ],
    rows: measured.map(({ abortLatency, ...abort }) => ({
      values: [
        ...modeValues(abort),
        `${abort.generations} + ${abort.ranToEnd}`,
        duration(abortLatency.p50Nanoseconds),
        duration(abortLatency.p99Nanoseconds),
        duration(abortLatency.maximumNanoseconds),
        count(abort.wastedTokens),
        count(abort.mostWastedTokens),
      ],
    })),
    definitions: ["abort latency", "wasted tokens"],
  };
}

/** What a consumer does that is slower than the engine. */
function slowConsumers({ slowConsumers: measured = [] }: ResultRecord): Table {
  return {
    heading: "A consumer slower than the engine",
    title:
      "A consumer slower than the engine (slowdown: 1 if it alone sets the pace; waiting: most tokens that wait):",
    columns: [
      ...modeColumns,
      column("µs/token", "consumer, µs per token"),
      column("ring", "slots of the ring"),
      column("slowdown", "slowdown"),
      column("waiting", "most tokens waiting"),
      column("delay p50", "delivery latency p50"),
      column("p99", "p99"),
      column("+ MiB", "resident set grew by"),
    ],
    rows: measured.map(({ deliveryLatency, ...slow }) => ({
      values: [
        ...modeValues(slow),
        decimal(slow.consumerMicrosecondsPerToken, 0),
        count(slow.ringCapacity),
        decimal(slow.slowdown, 3),
        count(slow.mostTokensWaiting),
        duration(deliveryLatency?.p50Nanoseconds),
        duration(deliveryLatency?.p99Nanoseconds),
        memory(slow.residentGrowthBytes),
      ],
    })),
    definitions: ["slow consumer"],
  };
}

/** What it costs to split one stream for two readers. */
function tee({ tee: measured = [] }: ResultRecord): Table {
  return {
    heading: "One stream for two readers",
    title:
      "One stream for two readers (CPU: µs per token; added: minus one reader's; delay: from made to read):",
    columns: [
      ...columns("model", "host", "tokens", "read by"),
      column("CPU", "CPU, µs per token"),
      column("added [95 %]", "less one reader's CPU"),
      ...columns("tokens/s"),
      column("delay p50", "delivery latency p50"),
      column("p99", "p99"),
      documentColumn("blocks"),
    ],
    rows: measured.flatMap(({ ways, ...each }) =>
      ways.map(({ deliveryLatency, ...way }) => ({
        values: [
          each.model,
          each.host,
          count(each.tokens),
          readBy[way.way],
          cpuTime(way.cpuMicrosecondsPerToken),
          decimalEstimate(way.addedCpuMicrosecondsPerToken?.hodgesLehmann),
          tokensPerSecond(way.throughputTokensPerSecond),
          duration(deliveryLatency?.p50Nanoseconds),
          duration(deliveryLatency?.p99Nanoseconds),
          count(way.cpuMicroseconds.length),
        ],
      })),
    ),
    definitions: ["splitting a stream"],
  };
}

const readBy: Readonly<Record<TeeWayName, string>> = {
  "one reader": "one reader",
  teeTokens: "two, teeTokens()",
  "ReadableStream.tee": "two, ReadableStream.tee()",
};

/** In milliseconds. */
function middleAndTail(latency: LatencySummary | null): Value {
  if (latency === null) return null;
  return several([decimal(latency.p50Nanoseconds / 1e6), decimal(latency.p99Nanoseconds / 1e6)]);
}

/** In reading order. */
const tableOf: Readonly<Record<Load, (record: ResultRecord) => Table>> = {
  mainThread,
  arrivals,
  aborts,
  slowConsumers,
  tee,
};
