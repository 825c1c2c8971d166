// A process of its own for one step of one shape, so that its peak of memory is the step's:
//   node one-shape.mjs build <checkpoint> <model>
//   node one-shape.mjs run <model>
// Prints one line of JSON.
import { createRuntime } from "@streamgauge/runtime";
import { buildModel } from "@streamgauge/runtime/onnx";
import { terms } from "./shapes.mjs";

const { promptTokens, generatedTokens, generations, threads } = terms;

const [step, ...folders] = process.argv.slice(2);
const startedAt = performance.now();
const result = step === "build" ? await build(...folders) : await run(...folders);
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(`${JSON.stringify({ ...result, peakBytes })}\n`);

async function build(checkpoint, out) {
  await buildModel({ checkpoint, out, dtypes: ["q4"], randomSeed: 1851 });
  return { seconds: (performance.now() - startedAt) / 1000 };
}

async function run(model) {
  const runtime = await createRuntime({ model, workers: 1, threads });
  try {
    return { loadSeconds: (performance.now() - startedAt) / 1000, ...(await measure(runtime)) };
  } finally {
    await runtime.close();
  }
}

async function measure(runtime) {
  const prompt = Array.from({ length: promptTokens }, (_, index) => 100 + index);
  const rates = [];
  const firsts = [];
  for (let index = 0; index < generations; index += 1) {
    const at = performance.now();
    const times = [];
    await runtime.generateStream(prompt, () => times.push(performance.now()), {
      maxTokens: generatedTokens,
      ignoreEos: true,
    });
    firsts.push(times[0] - at);
    rates.push(((times.length - 1) / (times.at(-1) - times[0])) * 1000);
  }
  const { cache, maxBatch } = runtime.describe();
  return {
    tokensPerSecond: rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)],
    firstTokenMilliseconds: firsts[0],
    cache,
    maxBatch,
  };
}
