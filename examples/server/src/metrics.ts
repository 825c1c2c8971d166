import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import type { Meter } from "@opentelemetry/api";
import { MeterProvider, type ViewOptions } from "@opentelemetry/sdk-metrics";
import type { GenerationObserver, Runtime, RuntimeMetrics } from "@streamgauge/runtime";
import { createOpenTelemetryObserver } from "@streamgauge/runtime/opentelemetry";

/** What Prometheus' text format calls itself. */
export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/** What `/metrics` answers with: what OpenTelemetry is told of a runtime, as Prometheus reads it. */
export interface ServerMetrics {
  /** For the option `observers` of the runtime: it has the histograms. */
  readonly observer: GenerationObserver;
  /** Adds what a runtime counts by itself. To be called once. */
  watch(runtime: Pick<Runtime, "metrics">): void;
  /**
   * All of it in Prometheus' text format.
   *
   * @throws whatever `runtime.metrics()` throws
   */
  text(): Promise<string>;
}

/** Makes the metrics of one server. They start from nothing, and are in no global registry. */
export function createMetrics(): ServerMetrics {
  // It listens nowhere: the server's own rules say who may read.
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meter = new MeterProvider({ readers: [reader], views }).getMeter("streamgauge-server");
  return {
    observer: createOpenTelemetryObserver({ meter }),
    watch: (runtime) => watchRuntime(meter, runtime),
    async text() {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw errors[0];
      return serializer.serialize(resourceMetrics);
    },
  };
}

/** Without times of its own, and without labels that say of each line what made it. */
const serializer = new PrometheusSerializer("", false, undefined, true, true);

/** Prometheus has the unit in the name; the exporter leaves it out. */
const views: ViewOptions[] = [
  "gen_ai.server.request.duration",
  "gen_ai.server.time_to_first_token",
  "gen_ai.server.time_per_output_token",
].map((instrumentName) => ({ instrumentName, name: `${instrumentName}.seconds` }));

/** What a runtime counts: how it is told to Prometheus, and what it is now. */
interface Instrument {
  readonly name: string;
  readonly kind: "gauge" | "counter";
  readonly description: string;
  readonly read: (metrics: RuntimeMetrics) => number | Labelled;
}

/** A count for each value of a label. */
interface Labelled {
  readonly label: string;
  readonly counts: Readonly<Record<string, number>>;
}

const instruments: readonly Instrument[] = [
  {
    name: "streamgauge.generations.queued",
    kind: "gauge",
    description: "Calls that wait for a worker.",
    read: ({ queued }) => queued,
  },
  {
    name: "streamgauge.generations.active",
    kind: "gauge",
    description: "Generations that a worker has.",
    read: ({ active }) => active,
  },
  {
    name: "streamgauge.workers.ready",
    kind: "gauge",
    description: "Workers that have loaded the model and live.",
    read: ({ workers }) => workers.ready,
  },
  {
    name: "streamgauge.workers.lost",
    kind: "counter",
    description: "Workers that ended by themselves, or could not load.",
    read: ({ workers }) => workers.lost,
  },
  {
    name: "streamgauge.workers.replaced",
    kind: "counter",
    description: "Workers that took the place of a lost one.",
    read: ({ workers }) => workers.replaced,
  },
  {
    name: "streamgauge.generations.finished",
    kind: "counter",
    description: "Generations that ended, by the reason.",
    read: ({ generations }) => ({ label: "finish_reason", counts: generations.finished }),
  },
  {
    name: "streamgauge.generations.failed",
    kind: "counter",
    description: "Generations that failed, by the code of the error.",
    read: ({ generations }) => ({ label: "error.type", counts: generations.failed }),
  },
  {
    name: "streamgauge.stream.delivered_tokens",
    kind: "counter",
    description: "Tokens that streams have handed over.",
    read: ({ delivery }) => delivery.tokens,
  },
  {
    name: "streamgauge.stream.wake_ups",
    kind: "counter",
    description: "How often streams have woken the thread that reads them.",
    read: ({ delivery }) => delivery.wakeUps,
  },
];

function watchRuntime(meter: Meter, runtime: Pick<Runtime, "metrics">): void {
  const watched = instruments.map(({ name, kind, description, read }) => ({
    read,
    observable:
      kind === "gauge"
        ? meter.createObservableGauge(name, { description })
        : meter.createObservableCounter(name, { description }),
  }));
  meter.addBatchObservableCallback(
    (result) => {
      const now = runtime.metrics();
      for (const { read, observable } of watched) {
        const value = read(now);
        if (typeof value === "number") result.observe(observable, value);
        else {
          for (const [name, count] of Object.entries(value.counts)) {
            result.observe(observable, count, { [value.label]: name });
          }
        }
      }
    },
    watched.map(({ observable }) => observable),
  );
}
