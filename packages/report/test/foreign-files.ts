// Files as other tools write them, for tests of imports.

/** vllm/benchmarks/serve.py with --save-detailed: two requests of three tokens, one that failed. */
export const vllm = {
  date: "20261125-070000",
  backend: "openai",
  model_id: "a|b\u001b[31m",
  num_prompts: 3,
  duration: 2,
  completed: 2,
  output_throughput: 3,
  mean_ttft_ms: 30,
  median_ttft_ms: 30,
  p99_ttft_ms: 39.8,
  mean_tpot_ms: 12.5,
  mean_itl_ms: 12.5,
  ttfts: [0.02, 0.04, 0],
  itls: [[0.01, 0.01], [0.01, 0.02], []],
  output_lens: [3, 3, 0],
  errors: ["", "", "Timeout"],
};

/** python/sglang/bench_serving.py with --output-details. */
export const sglang = {
  backend: "sglang-oai",
  dataset_name: "random",
  duration: 2,
  completed: 2,
  total_output_tokens_retokenized: 6,
  output_throughput: 3,
  mean_e2e_latency_ms: 45,
  median_e2e_latency_ms: 45,
  p99_e2e_latency_ms: 60,
  mean_ttft_ms: 30,
  median_ttft_ms: 30,
  p99_ttft_ms: 39.8,
  ttfts: [0.02, 0.04, 0],
  itls: [[0.01, 0.01], [0.01, 0.02], []],
  output_lens: [3, 3, 0],
  errors: ["", "", "Timeout"],
  accept_length: null,
};

/** docs/tutorials/working-with-profile-exports.md of ai-dynamo/aiperf. */
export function aiperfLine(changes: object = {}, metadata: object = {}): object {
  return {
    metadata: {
      session_num: 45,
      request_start_ns: 1_000_000_000,
      request_ack_ns: 1_010_000_000,
      request_end_ns: 1_050_000_000,
      benchmark_phase: "profiling",
      was_cancelled: false,
      ...metadata,
    },
    metrics: {
      time_to_first_token: { value: 20_000, unit: "us" },
      request_latency: { value: 48, unit: "ms" },
      output_sequence_length: { value: 4, unit: "tokens" },
      inter_chunk_latency: { value: [9, 9, 12], unit: "ms" },
      inter_token_latency: { value: 9.333, unit: "ms" },
      ...changes,
    },
    error: null,
  };
}

/** `JsonExportData` of src/aiperf/common/models/export_models.py: null where AIPerf had NaN. */
export const aiperfSummary = {
  schema_version: "1.0",
  request_latency: { unit: "ms", avg: 2620.71, p50: 2568.73, p99: null, min: null },
  time_to_first_token: null,
  output_token_throughput: { unit: "tokens/sec", avg: 41 },
};

/** aiperf/exporters/json_exporter.py of ai-dynamo/aiperf before 0.2. */
export const aiperfOldSummary = {
  records: {
    request_latency: {
      tag: "request_latency",
      unit: "ms",
      header: "Request Latency",
      avg: 2620.71,
    },
  },
  input_config: { endpoint: {} },
  was_cancelled: false,
};

/** A request of 0.4: src/guidellm/schemas/info.py and request_stats.py of vllm-project/guidellm. */
export const guidellmRequest = {
  info: {
    timings: {
      request_start: 100,
      first_token_iteration: 100.25,
      last_token_iteration: 101.25,
      request_end: 101.5,
    },
  },
  output_tokens: 5,
  request_latency: 1.5,
  time_to_first_token_ms: 250,
  inter_token_latency_ms: 250,
  time_per_output_token_ms: 250,
  output_tokens_per_second: 3.333,
};

export const guidellm = {
  benchmarks: [{ requests: { successful: [guidellmRequest], incomplete: [{}], errored: [] } }],
};

const oldTimes = {
  start_time: 100,
  first_token_time: 100.25,
  last_token_time: 101.25,
  end_time: 101.5,
};

/** 0.2 and 0.3: `GenerativeTextResponseStats` of src/guidellm/benchmark/benchmark.py. */
export const guidellm02 = {
  benchmarks: [
    {
      type_: "generative_benchmark",
      requests: {
        successful: [
          {
            ...oldTimes,
            type_: "generative_text_response",
            output_tokens: 5,
            request_latency: 1.5,
            time_to_first_token_ms: 250,
            inter_token_latency_ms: 250,
            time_per_output_token_ms: 200,
            output_tokens_per_second: 3.333,
          },
        ],
        incomplete: [],
        errored: [{}, {}],
      },
    },
  ],
};

/** 0.1: `GuidanceReport` and `TextGenerationBenchmark` of src/guidellm/core. */
export const guidellm01 = {
  benchmarks: [
    {
      benchmarks: [
        {
          mode: "synchronous",
          results: [
            {
              ...oldTimes,
              output_token_count: 5,
              request_latency: 1.5,
              time_to_first_token: 250,
              inter_token_latency: 250,
              output_tokens_per_second: 4,
            },
          ],
          errors: [{ message: "Timeout" }],
        },
      ],
      args: {},
    },
  ],
};
