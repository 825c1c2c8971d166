import { PrometheusExporter, PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import type { Meter } from "@opentelemetry/api";
import { MeterProvider, type ViewOptions } from "@opentelemetry/sdk-metrics";
import type { GenerationObserver, Runtime } from "@streamgauge/runtime";
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

function watchRuntime(meter: Meter, runtime: Pick<Runtime, "metrics">): void {
  const queued = meter.createObservableGauge("streamgauge.generations.queued", {
    description: "Calls that wait for a worker.",
  });
  const active = meter.createObservableGauge("streamgauge.generations.active", {
    description: "Generations that a worker has.",
  });
  const ready = meter.createObservableGauge("streamgauge.workers.ready", {
    description: "Workers that have loaded the model and live.",
  });
  const lost = meter.createObservableCounter("streamgauge.workers.lost", {
    description: "Workers that ended by themselves, or could not load.",
  });
  const replaced = meter.createObservableCounter("streamgauge.workers.replaced", {
    description: "Workers that took the place of a lost one.",
  });
  const finished = meter.createObservableCounter("streamgauge.generations.finished", {
    description: "Generations that ended, by the reason.",
  });
  const failed = meter.createObservableCounter("streamgauge.generations.failed", {
    description: "Generations that failed, by the code of the error.",
  });
  const delivered = meter.createObservableCounter("streamgauge.stream.delivered_tokens", {
    description: "Tokens that streams have handed over.",
  });
  const wakeUps = meter.createObservableCounter("streamgauge.stream.wake_ups", {
    description: "How often streams have woken the thread that reads them.",
  });
  const all = [queued, active, ready, lost, replaced, finished, failed, delivered, wakeUps];
  meter.addBatchObservableCallback((result) => {
    const now = runtime.metrics();
    result.observe(queued, now.queued);
    result.observe(active, now.active);
    result.observe(ready, now.workers.ready);
    result.observe(lost, now.workers.lost);
    result.observe(replaced, now.workers.replaced);
    for (const [reason, count] of Object.entries(now.generations.finished)) {
      result.observe(finished, count, { finish_reason: reason });
    }
    for (const [code, count] of Object.entries(now.generations.failed)) {
      result.observe(failed, count, { "error.type": code });
    }
    result.observe(delivered, now.delivery.tokens);
    result.observe(wakeUps, now.delivery.wakeUps);
  }, all);
}
