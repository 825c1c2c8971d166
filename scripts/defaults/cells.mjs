// One loaded model at every load: two contexts, one stream and eight, idle and beside a busy core.
import { createRuntime } from "@streamgauge/runtime";
import { settingName } from "./setting-name.mjs";

const contexts = [64, 1024];
const streamCounts = [1, 8];

/** What the runtime chooses where nobody says anything. */
export async function describeDefault(model, workers) {
  const runtime = await createRuntime({ model: model.folder, dtype: model.dtype, workers });
  try {
    const { threads, spinMicroseconds, reasons } = runtime.describe();
    return { threads, spinMicroseconds, reason: reasons.threads };
  } finally {
    await runtime.close();
  }
}

/** The contexts to measure a model at, with the ids of the prompts. */
export function contextsOf({ contextLength, vocabularySize, tokens }) {
  return contexts.map((context) => {
    // The longest context may not leave room for the tokens.
    const promptTokens = Math.min(context, contextLength - Math.max(...tokens));
    const promptOf = (stream) =>
      Array.from({ length: promptTokens }, (_unused, at) => (stream + at * 31) % vocabularySize);
    return { context, promptTokens, promptOf };
  });
}

/** One run idle and one beside a busy core, after one that does not count. */
export async function runAtBothLoads(run, busyCore) {
  await run();
  const idle = await run();
  const busy = await busyCore.during(run);
  return { idle, busy };
}

export async function runCells(model, workers, settings, busyCore) {
  const runtime = await createRuntime({
    model: model.folder,
    dtype: model.dtype,
    workers,
    ...settings,
  });
  try {
    const cells = [];
    for (const streams of streamCounts) {
      const tokens = model.tokens[streams === 1 ? 0 : 1];
      for (const { context, promptTokens, promptOf } of contextsOf(model)) {
        const prompts = Array.from({ length: streams }, (_unused, stream) => promptOf(stream));
        // The run that does not count runs the prompts, which are then in the workers' caches.
        const run = () => tokensPerSecond(runtime, prompts, tokens);
        const speeds = await runAtBothLoads(run, busyCore);
        cells.push({ context, streams, promptTokens, tokens, ...speeds });
      }
    }
    const { stepWeights } = runtime.describe();
    return { chosen: settingName(settings), ...settings, stepWeights, cells };
  } finally {
    await runtime.close();
  }
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
