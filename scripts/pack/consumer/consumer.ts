// Type-checked under `module: nodenext` and under `moduleResolution: bundler`; never run.
import type { ResultRecord } from "@streamgauge/bench/record";
import { toTextStream, type ErrorCode, type Generator, type StreamToken } from "@streamgauge/core";
import { renderBenchmarks } from "@streamgauge/report";
import { createRuntime } from "@streamgauge/runtime";

export async function use(record: ResultRecord): Promise<string> {
  const runtime = await createRuntime({ workers: 1 });
  const generator: Generator = runtime;
  const stream = generator.generateStreamAsync("Call me Ishmael.", { maxTokens: 5 });
  const text: ReadableStream<string> = toTextStream(stream);
  const idOf: (token: StreamToken) => number = (token) => token.id;
  // @ts-expect-error A prompt is not a number. Were the types lost, this comment would be an error.
  await runtime.generate(5);
  // @ts-expect-error There is no such option.
  await createRuntime({ wokers: 1 });
  // @ts-expect-error A record is not text.
  renderBenchmarks("record");
  return [renderBenchmarks(record), typeof text, typeof idOf].join(" ");
}

/** Codes of core, runtime and bench, which are in one registry. */
export const codes: readonly ErrorCode[] = ["INVALID_CONFIG", "QUEUE_FULL", "OUTPUT_MISMATCH"];
// @ts-expect-error No package has this code.
export const unknownCode: ErrorCode = "QUEUE_EMPTY";
