// One loaded model at every load: two contexts, one stream and eight, idle and beside a busy core.
import { createRuntime } from "@streamgauge/runtime";

const contexts = [64, 1024];
const streamCounts = [1, 8];

/** @param settings undefined: what the runtime chooses */
export async function runCells(model, workers, settings, busyCore) {
  const loadAt = performance.now();
  const runtime = await createRuntime({
    model: model.folder,
    dtype: model.dtype,
    workers,
    ...settings,
  });
  try {
    const loadMilliseconds = performance.now() - loadAt;
    const { threads, spinMicroseconds, reasons, stepWeights, contextLength, vocabularySize } =
      runtime.describe();
    const cells = [];
    for (const context of contexts) {
      for (const streams of streamCounts) {
        const tokens = model.tokens[streams === 1 ? 0 : 1];
        // The longest context may not leave room for the tokens.
        const promptTokens = Math.min(context, contextLength - tokens);
        const prompts = Array.from({ length: streams }, (_, stream) =>
          Array.from(
            { length: promptTokens },
            (_unused, at) => (stream + at * 31) % vocabularySize,
          ),
        );
        const run = () => tokensPerSecond(runtime, prompts, tokens);
        // Runs the prompts, which are then in the workers' caches.
        await run();
        const idle = await run();
        const busy = await busyCore.during(run);
        cells.push({ context, streams, promptTokens, tokens, idle, busy });
      }
    }
    return {
      chosen: settings === undefined ? "default" : settingName(settings),
      threads,
      spinMicroseconds,
      reason: reasons.threads,
      stepWeights,
      loadMilliseconds,
      cells,
    };
  } finally {
    await runtime.close();
  }
}

/** `2/50`: threads, and for how many microseconds idle ones spin. */
export function settingName(settings) {
  return settings === undefined ? "default" : `${settings.threads}/${settings.spinMicroseconds}`;
}

/** Of all streams together, from the first token that came to the last. */
async function tokensPerSecond(runtime, prompts, maxTokens) {
  const times = await Promise.all(
    prompts.map(async (prompt) => {
      const own = [];
      await runtime.generateStream(prompt, () => own.push(performance.now()), {
        maxTokens,
        temperature: 0,
        ignoreEos: true,
      });
      return own;
    }),
  );
  const first = Math.min(...times.map((own) => own[0]));
  const last = Math.max(...times.map((own) => own.at(-1)));
  return ((times.length * (maxTokens - 1)) / (last - first)) * 1000;
}
