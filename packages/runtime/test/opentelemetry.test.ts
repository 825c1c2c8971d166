import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
  type HistogramMetricData,
} from "@opentelemetry/sdk-metrics";
import { createRuntime, pacedModel } from "@streamgauge/runtime";
import { createOpenTelemetryObserver } from "@streamgauge/runtime/opentelemetry";
import { expect, it } from "vitest";

it("OpenTelemetry is told of generations in its own names, seconds and boundaries", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const meter = provider.getMeter("test");
  await using runtime = await createRuntime({
    model: pacedModel({ stepMicroseconds: 20, faults: true }),
    observers: [createOpenTelemetryObserver({ meter })],
  });
  await runtime.generate([1, 2], { maxTokens: 10 });
  await runtime.generateStream([3], () => undefined, { maxTokens: 1 });
  await expect(runtime.generate("throw at 2")).rejects.toMatchObject({ code: "ENGINE_FAILED" });
  await reader.forceFlush();
  const [{ scopeMetrics } = { scopeMetrics: [] }] = exporter.getMetrics();
  const found = new Map(
    scopeMetrics
      .flatMap(({ metrics }) => metrics)
      .map((metric) => {
        if (metric.dataPointType !== DataPointType.HISTOGRAM) expect.fail("not a histogram");
        return [metric.descriptor.name, metric] as const;
      }),
  );
  await provider.shutdown();

  const about = {
    "gen_ai.operation.name": "text_completion",
    "gen_ai.provider.name": "streamgauge",
    "gen_ai.request.model": "paced",
  };
  const pointsOf = (name: string) => (found.get(name) as HistogramMetricData).dataPoints;
  expect([...found.keys()].toSorted()).toEqual([
    "gen_ai.client.token.usage",
    "gen_ai.server.request.duration",
    "gen_ai.server.time_per_output_token",
    "gen_ai.server.time_to_first_token",
    "gen_ai.usage.cache_read.input_tokens",
    "streamgauge.stream.wake_ups_per_token",
  ]);

  const [fine, failed] = pointsOf("gen_ai.server.request.duration");
  expect(fine).toMatchObject({ attributes: about, value: { count: 2 } });
  expect(failed).toMatchObject({
    attributes: { ...about, "error.type": "ENGINE_FAILED" },
    value: { count: 1 },
  });
  const { timePerOutputToken, endToEnd } = runtime.metrics();
  expect(fine?.value.max).toBeCloseTo(endToEnd.maximumNanoseconds / 1e9, 3);
  expect(fine?.value.buckets.boundaries).toEqual([
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
  ]);

  expect(pointsOf("gen_ai.server.time_to_first_token")).toMatchObject([
    { attributes: about, value: { count: 2 } },
  ]);
  const [perToken] = pointsOf("gen_ai.server.time_per_output_token");
  expect(perToken).toMatchObject({ attributes: about, value: { count: 1 } });
  expect(perToken?.value.sum).toBeCloseTo(timePerOutputToken.maximumNanoseconds / 1e9, 6);

  const usage = pointsOf("gen_ai.client.token.usage");
  expect(usage).toMatchObject([
    { attributes: { ...about, "gen_ai.token.type": "input" }, value: { count: 2, sum: 3 } },
    { attributes: { ...about, "gen_ai.token.type": "output" }, value: { count: 2, sum: 11 } },
  ]);
  expect(usage[0]?.value.buckets.boundaries.slice(0, 5)).toEqual([1, 4, 16, 64, 256]);
  expect(usage[0]?.value.buckets.boundaries.at(-1)).toBe(67_108_864);
  expect(pointsOf("gen_ai.usage.cache_read.input_tokens")).toMatchObject([
    { attributes: about, value: { count: 2, sum: 0 } },
  ]);
  // There was one stream, with one token.
  expect(pointsOf("streamgauge.stream.wake_ups_per_token")).toMatchObject([
    { attributes: about, value: { count: 1 } },
  ]);
});
