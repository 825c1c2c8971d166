import {
  describeLoad,
  transportBaselines,
  transportComparison,
  type ResultRecord,
  type TransportClaim,
  type TransportMeasurement,
  type TransportSummary,
} from "@streamgauge/bench/record";
import { duration, ratio, ratioWithInterval } from "../text/numbers.js";
import { section } from "./section.js";

/** The meanings of the numbers in all of these tables; they stand under the first. */
const definitions = ["transport load", "CPU of a transport", "CPU ratio"];

/** What each way between threads costs; nothing where none was measured. */
export function transports(record: ResultRecord): string[] {
  return (record.transports ?? []).flatMap((measurement, index) => {
    const defined = index === 0 ? definitions : [];
    return isGridOfRings(measurement)
      ? ringGrids(record, measurement, defined)
      : [comparison(record, measurement, defined)];
  });
}

function comparison(
  record: ResultRecord,
  measurement: TransportMeasurement,
  defined: readonly string[],
): string {
  const { load, others } = transportBaselines(measurement);
  const isBounded = measurement.transports.every(({ hasBackpressure }) => hasBackpressure === true);
  const rows = measurement.transports.map((summary) => {
    const { transport, deliveryLatency } = summary;
    const against = (name: string | undefined) => transportComparison(measurement, transport, name);
    const net = against(load)?.addedCpuMicrosecondsPerToken ?? null;
    return [
      transport,
      isBounded ? "" : deliveryLatency === null ? "–" : summary.hasBackpressure ? "yes" : "no",
      summary.cpuMicrosecondsPerToken.toFixed(2),
      load === undefined ? "" : net === null ? "–" : ratioWithInterval(net.hodgesLehmann),
      summary.throughputTokensPerSecond.toFixed(0),
      duration(deliveryLatency?.p50Nanoseconds ?? null),
      duration(deliveryLatency?.p99Nanoseconds ?? null),
      duration(deliveryLatency?.maximumNanoseconds ?? null),
      ...others.map((name) => {
        const cpuRatio = deliveryLatency === null ? null : (against(name)?.cpuRatio ?? null);
        return cpuRatio === null ? "–" : ratioWithInterval(cpuRatio.hodgesLehmann);
      }),
    ];
  });
  return section(record, `Between threads: ${describeLoad(measurement)}`, rows, {
    head: [
      "transport",
      "backpressure",
      "CPU, µs per token",
      "less the load",
      "tokens/s",
      "delivery latency p50",
      "p99",
      "max",
      ...others.map((name) => `CPU / CPU of ${name}`),
    ],
    definitions: defined,
    notes: [blocksOf(measurement), ...measurement.claims.map((claim) => show(measurement, claim))],
  });
}

function show(
  measurement: TransportMeasurement,
  { transport, against, control, limit, verdict, reasons }: TransportClaim,
): string {
  const of = (name: string): string => {
    const cpuRatio = transportComparison(measurement, name, against)?.cpuRatio ?? null;
    return cpuRatio === null ? "–" : ratioWithInterval(cpuRatio.hodgesLehmann);
  };
  return [
    `Claim: ${transport} needs less than ${limit} of the CPU time of ${against}: ${verdict}.`,
    `Measured ${of(transport)}; ${control} ${of(control)}.`,
    ...(verdict === "upheld" ? [] : reasons),
  ].join(" ");
}

function blocksOf({ blocks, warmUp, generator }: TransportMeasurement): string {
  const steadiness = warmUp.steady ? "" : ", still trending after the warm-up";
  return `${blocks.length} blocks${steadiness}; the tokens are those of ${generator}.`;
}

/** Rings that differ in their size and batches, which are easiest to read as grids. */
function isGridOfRings({ transports: summaries }: TransportMeasurement): boolean {
  const capacities = new Set(summaries.map(({ ring }) => ring?.capacity));
  return capacities.size > 1 && summaries.every(({ ring }) => ring !== null);
}

const quantities: readonly {
  readonly name: string;
  readonly of: (summary: TransportSummary) => string;
}[] = [
  { name: "CPU, µs per token", of: (summary) => ratio(summary.cpuMicrosecondsPerToken) },
  { name: "tokens/s", of: (summary) => summary.throughputTokensPerSecond.toFixed(0) },
  {
    name: "delivery latency, p50",
    of: ({ deliveryLatency }) => duration(deliveryLatency?.p50Nanoseconds ?? null),
  },
  {
    name: "delivery latency, p99",
    of: ({ deliveryLatency }) => duration(deliveryLatency?.p99Nanoseconds ?? null),
  },
];

function ringGrids(
  record: ResultRecord,
  measurement: TransportMeasurement,
  defined: readonly string[],
): string[] {
  const { transports: summaries } = measurement;
  const capacities = ascending(summaries.map(({ ring }) => ring?.capacity ?? 0));
  const columns = [...new Set(summaries.map(columnOf))];
  const at = (capacity: number, column: string): TransportSummary | undefined =>
    summaries.find(
      (summary) => summary.ring?.capacity === capacity && columnOf(summary) === column,
    );
  const load = describeLoad(measurement);
  return quantities.map(({ name, of }, index) => {
    const rows = capacities.map((capacity) => [
      String(capacity),
      ...columns.map((column) => {
        const summary = at(capacity, column);
        return summary === undefined ? "–" : of(summary);
      }),
    ]);
    return section(record, `Rings, ${load}: ${name}`, rows, {
      head: ["slots", ...columns],
      definitions: index === 0 ? defined : [],
      notes: index === 0 ? [blocksOf(measurement)] : [],
      level: index === 0 ? 2 : 3,
    });
  });
}

/** What a ring has beside its slots: `batch 4`, `batch 1, delay 0 ms`. */
function columnOf({ ring }: TransportSummary): string {
  const delay = ring?.maxDelayMilliseconds;
  const batch = `batch ${ring?.publishBatch ?? 0}`;
  return delay === undefined ? batch : `${batch}, delay ${delay} ms`;
}

function ascending(values: readonly number[]): number[] {
  return [...new Set(values)].toSorted((first, second) => first - second);
}
