import { pacedModel } from "@streamgauge/runtime";
import {
  getMetricsFromIterator,
  type PromData,
  type PromHistogramData,
  type PromMetrics,
} from "prom2javascript";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMetrics } from "../src/metrics.js";
import { rejection, serve, type Served } from "./serve.js";

type Labels = Readonly<Record<string, string>>;

/** The parser refuses lines that are none, and histograms whose buckets do not add up. */
function parse(text: string): Promise<PromMetrics> {
  return getMetricsFromIterator(text.split("\n").values());
}

/** The series of a metric that has these labels, if there is one yet. */
function histogram(metrics: PromMetrics, name: string, labels: Labels = {}) {
  return (metrics[name]?.data as PromHistogramData[] | undefined)?.find(hasLabels(labels));
}

/** The value of the series of a counter or gauge that has these labels, if there is one yet. */
function value(metrics: PromMetrics, name: string, labels: Labels = {}): number | undefined {
  return (metrics[name]?.data as PromData[] | undefined)?.find(hasLabels(labels))?.value;
}

function hasLabels(labels: Labels): (series: { labels: Labels }) => boolean {
  return (series) =>
    Object.entries(labels).every(([label, wanted]) => series.labels[label] === wanted);
}

const duration = "gen_ai_server_request_duration_seconds";

describe("/metrics", () => {
  let served: Served;
  beforeEach(async () => {
    served = await serve({ model: pacedModel({ stepMicroseconds: 20, faults: true }) });
  });
  afterEach(() => served[Symbol.asyncDispose]());

  const scrape = async (): Promise<PromMetrics> => {
    const response = await fetch(`${served.server.url}/metrics`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    return await parse(await response.text());
  };

  it("moves with each request, in seconds and tokens", async () => {
    const { client, model, runtime } = served;
    const before = await scrape();
    expect(histogram(before, duration)).toBeUndefined();
    expect(value(before, "streamgauge_generations_active")).toBe(0);
    expect(value(before, "streamgauge_generations_queued")).toBe(0);
    expect(value(before, "streamgauge_workers_ready")).toBe(1);
    expect(value(before, "streamgauge_workers_lost_total")).toBe(0);
    expect(value(before, "streamgauge_stream_delivered_tokens_total")).toBe(0);

    const prompt = [1, 2];
    await client.completions.create({ model, prompt, max_tokens: 5 });
    const stream = await client.completions.create({ model, prompt, max_tokens: 7, stream: true });
    for await (const _ of stream);
    await rejection(client.completions.create({ model, prompt: "throw at 2", max_tokens: 5 }));

    const after = await scrape();
    const fine = histogram(after, duration);
    expect(fine?.labels).toEqual({
      gen_ai_operation_name: "text_completion",
      gen_ai_provider_name: "streamgauge",
      gen_ai_request_model: model,
    });
    expect(fine?.count).toBe(2);
    const { endToEnd } = runtime.metrics();
    expect(fine?.sum).toBeCloseTo((endToEnd.meanNanoseconds * 2) / 1e9, 2);
    expect(histogram(after, duration, { error_type: "ENGINE_FAILED" })?.count).toBe(1);
    expect(histogram(after, "gen_ai_server_time_to_first_token_seconds")?.count).toBe(2);
    expect(histogram(after, "gen_ai_server_time_per_output_token_seconds")?.count).toBe(2);
    const tokens = (type: string) =>
      histogram(after, "gen_ai_client_token_usage", { gen_ai_token_type: type })?.sum;
    expect([tokens("input"), tokens("output")]).toEqual([4, 12]);
    const finished = "streamgauge_generations_finished_total";
    expect(value(after, finished, { finish_reason: "length" })).toBe(2);
    const failed = "streamgauge_generations_failed_total";
    expect(value(after, failed, { error_type: "ENGINE_FAILED" })).toBe(1);
    expect(value(after, "streamgauge_stream_delivered_tokens_total")).toBe(7);
  });

  it("has the names, types and buckets that Prometheus expects", async () => {
    const { client, model } = served;
    const prompt = [1];
    const stream = await client.completions.create({ model, prompt, max_tokens: 2, stream: true });
    for await (const _ of stream);
    const metrics = await scrape();
    const names = Object.keys(metrics);
    expect(names.length).toBeGreaterThan(10);
    for (const [name, { type, help }] of Object.entries(metrics)) {
      expect(name).toMatch(/^(gen_ai|streamgauge)_[a-z_]+$/);
      expect(help).toMatch(/\.$/);
      expect(["counter", "gauge", "histogram"]).toContain(type);
      // A counter ends with _total, and nothing else does.
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
      if (type !== "histogram") continue;
      for (const { buckets, count } of metrics[name]!.data as PromHistogramData[]) {
        const counts = Object.entries(buckets)
          .toSorted(([first], [second]) => boundOf(first) - boundOf(second))
          .map(([, upTo]) => upTo);
        expect(counts).toEqual(counts.toSorted((first, second) => first - second));
        expect(counts.at(-1)).toBe(count);
      }
    }
    // Times have their unit in the name.
    const times = names.filter((name) => /duration|time_/.test(name));
    expect(times).toHaveLength(3);
    for (const name of times) expect(name).toMatch(/_seconds$/);
    expect(histogram(metrics, duration)?.buckets).toHaveProperty(["0.01"]);
  });
});

it("what a model is called makes no further line and no further label", async () => {
  const metrics = createMetrics();
  const model = 'a",x="b\\c\nstreamgauge_workers_ready 7\n# TYPE x counter';
  metrics.observer.generationEnded({
    model,
    clientId: "",
    mode: "collect",
    finishReason: "length",
    errorCode: undefined,
    promptTokens: 1,
    cachedTokens: 0,
    completionTokens: 2,
    queueMilliseconds: 0,
    timeToFirstTokenMilliseconds: 1,
    timePerOutputTokenMilliseconds: 1,
    wakeUps: undefined,
    endToEndMilliseconds: 3,
  });
  const parsed = await parse(await metrics.text());
  expect(Object.keys(parsed).every((name) => name.startsWith("gen_ai_"))).toBe(true);
  expect(histogram(parsed, duration)?.labels).toEqual({
    gen_ai_operation_name: "text_completion",
    gen_ai_provider_name: "streamgauge",
    gen_ai_request_model: model,
  });
});

function boundOf(bound: string): number {
  return bound === "+Inf" ? Infinity : Number(bound);
}
