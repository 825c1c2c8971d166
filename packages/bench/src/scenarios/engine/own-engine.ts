import type { Generator } from "@streamgauge/core";
import type { InlineGenerator, Runtime } from "@streamgauge/runtime";
import type { EngineDtype } from "./engine-model.js";
import type { TimedIds } from "./peer-engine.js";
import { needsRuntime } from "../../plan/needs-runtime.js";

/** The name that tables use. */
export const ownName = "streamgauge" as const;

/** How {@link openOwn} sets the engine. */
export interface OwnSettings {
  readonly dtype: EngineDtype;
  /** Undefined for its own default. */
  readonly threads: number | undefined;
  /** Whether a prompt's keys and values are kept for the next run. */
  readonly prefixReuse: boolean;
}

/** The engine on a model of the scenario, in the thread that measures. */
export async function openOwn(folder: string, settings: OwnSettings): Promise<InlineGenerator> {
  const { dtype, threads, prefixReuse } = settings;
  const { createInlineGenerator } = await needsRuntime(() => import("@streamgauge/runtime"));
  return await createInlineGenerator({
    model: folder,
    dtype,
    prefixReuse,
    ...(threads !== undefined && { threads }),
  });
}

/** How {@link openOwnWorker} sets the engine. */
export interface OwnWorkerSettings {
  readonly dtype: EngineDtype;
  readonly threads: number;
  /** Most streams of one step. */
  readonly streams: number;
  /** Told of each stage of loading. */
  readonly report: ((stage: string) => void) | undefined;
}

/** The engine on a model of the scenario in one worker, which keeps nothing of prompts. */
export async function openOwnWorker(
  folder: string,
  { dtype, threads, streams, report }: OwnWorkerSettings,
): Promise<Runtime> {
  const { createRuntime } = await needsRuntime(() => import("@streamgauge/runtime"));
  return await createRuntime({
    model: folder,
    dtype,
    threads,
    workers: 1,
    maxBatch: streams,
    prefixReuse: false,
    onProgress: ({ stage }) => report?.(stage),
  });
}

/** Greedy, past the end of the text, stamped as the user's code gets each token. */
export async function takeTimed(
  generator: Generator,
  prompt: readonly number[],
  tokens: number,
): Promise<TimedIds> {
  const ids: number[] = [];
  const atNanoseconds: number[] = [];
  await generator.generateStream(
    prompt,
    ({ id }) => {
      atNanoseconds.push(performance.now() * 1e6);
      ids.push(id);
    },
    { maxTokens: tokens, temperature: 0, ignoreEos: true },
  );
  return { ids, atNanoseconds };
}

/** From the first token to the last, per token, in milliseconds. */
export function decodeMilliseconds({ atNanoseconds }: TimedIds): number {
  const first = atNanoseconds[0] as number;
  const last = atNanoseconds.at(-1) as number;
  return (last - first) / 1e6 / (atNanoseconds.length - 1);
}

/** From each token to the next. */
export function gapsOf({ atNanoseconds }: TimedIds): number[] {
  return atNanoseconds.slice(1).map((at, index) => at - (atNanoseconds[index] as number));
}
