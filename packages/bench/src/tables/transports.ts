import {
  describeLoad,
  transportBaselines,
  transportComparison,
  type ResultRecord,
  type TransportClaim,
  type TransportMeasurement,
} from "../record/index.js";
import { column, columns, documentColumn, type Sentence, type Table } from "./table.js";
import { cpuTime, decimal, duration, phrase, ratioEstimate } from "./value.js";

/** What each way between threads costs: a table for each load, with the claims about it. */
export function transports({ transports: measured = [] }: ResultRecord): Table[] {
  return measured.map((measurement, index) => ({
    ...ofLoad(measurement),
    // They stand under the first, and are the same for all.
    definitions: index === 0 ? ["transport load", "CPU of a transport", "CPU ratio"] : [],
  }));
}

function ofLoad(measurement: TransportMeasurement): Table {
  const { blocks, warmUp, generator, claims } = measurement;
  const { load, others } = transportBaselines(measurement);
  const isBounded = measurement.transports.every(({ hasBackpressure }) => hasBackpressure === true);
  const rows = measurement.transports.map((summary) => {
    const { transport, deliveryLatency } = summary;
    const against = (name: string | undefined) => transportComparison(measurement, transport, name);
    const isDelivered = deliveryLatency !== null;
    return {
      values: [
        transport,
        isBounded ? "" : isDelivered ? (summary.hasBackpressure === true ? "yes" : "no") : null,
        cpuTime(summary.cpuMicrosecondsPerToken),
        load === undefined
          ? ""
          : ratioEstimate(against(load)?.addedCpuMicrosecondsPerToken?.hodgesLehmann),
        decimal(summary.throughputTokensPerSecond, 0),
        duration(deliveryLatency?.p50Nanoseconds),
        duration(deliveryLatency?.p99Nanoseconds),
        duration(deliveryLatency?.maximumNanoseconds),
        ...others.map((name) =>
          isDelivered ? ratioEstimate(against(name)?.cpuRatio?.hodgesLehmann) : null,
        ),
      ],
    };
  });
  const inWords = describeLoad(measurement);
  const steadiness = warmUp.steady ? "" : ", whose times still drift after the warm-up";
  return {
    heading: `Between threads: ${inWords}`,
    title:
      `Between threads, ${inWords} (${blocks.length} blocks; CPU: µs per token of both threads` +
      (load === undefined ? "" : ";\nnet: minus the load itself") +
      (isBounded ? "" : "; bounded: a slow consumer makes the producer wait") +
      "; p50, p99: delivery latency):",
    columns: [
      ...columns("transport"),
      column("bounded", "backpressure"),
      column("CPU", "CPU, µs per token"),
      { ...column("net", "less the load"), intervalsIn: "document" },
      ...columns("tokens/s"),
      column("p50", "delivery latency, p50"),
      column("p99", "delivery latency, p99"),
      documentColumn("delivery latency, max"),
      ...others.map((name, index) => {
        const inDocuments = `CPU / CPU of ${name}`;
        // A terminal has room for one interval.
        return index === 0
          ? column(`CPU / ${name}`, inDocuments)
          : { ...column(`/ ${name}`, inDocuments), intervalsIn: "document" as const };
      }),
    ],
    rows,
    notes: [
      {
        text: `${blocks.length} blocks${steadiness}; ${generator} makes the tokens.`,
        only: "document",
      },
      ...claims.map((claim) => sentenceOf(measurement, claim)),
    ],
  };
}

function sentenceOf(
  measurement: TransportMeasurement,
  { transport, against, limit, verdict, reasons }: TransportClaim,
): Sentence {
  const { cpuRatio = null } = transportComparison(measurement, transport, against) ?? {};
  return phrase(
    `CPU of ${transport} / CPU of ${against}: `,
    ratioEstimate(cpuRatio?.hodgesLehmann),
    `; limit < ${[`${limit}: ${verdict}.`, ...(verdict === "upheld" ? [] : reasons)].join(" ")}`,
  );
}
