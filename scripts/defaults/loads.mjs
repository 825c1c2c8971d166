// What choosing threads adds to loading, each time in a process of its own; as a program, that process.
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = fileURLToPath(import.meta.url);
const repetitions = 5;

if (process.argv[1] === program) {
  const { createRuntime } = await import("@streamgauge/runtime");
  const [model, dtype] = process.argv.slice(2);
  const startedAt = performance.now();
  const runtime = await createRuntime({ model, dtype });
  const milliseconds = performance.now() - startedAt;
  const { reasons } = runtime.describe();
  await runtime.close();
  process.stdout.write(JSON.stringify({ milliseconds, reason: reasons.threads }));
}

/**
 * Without a measurement; with one, for an empty cache; and with what that has kept. The three take
 * turns, after one that is not kept.
 */
export async function timeLoads(models, workshop, say) {
  const cache = join(workshop, "load-cache");
  const load = async (model, tuning) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [program, model.folder, model.dtype],
      { env: { ...process.env, STREAMGAUGE_CACHE_DIR: cache, STREAMGAUGE_TUNING: tuning } },
    );
    return JSON.parse(stdout);
  };
  const loads = [];
  for (const model of models) {
    say(`loading ${model.name}`);
    await load(model, "rule");
    for (let repetition = 0; repetition < repetitions; repetition += 1) {
      const rule = await load(model, "rule");
      await rm(cache, { recursive: true, force: true });
      const first = await load(model, "keep");
      const second = await load(model, "keep");
      loads.push({ model: model.name, rule, first, second });
    }
  }
  return loads;
}
