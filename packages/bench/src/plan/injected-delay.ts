import type { ScenarioGenerator } from "./generator-plan.js";

/**
 * A generator whose streaming modes take longer than its `generate()` by what
 * is known, for calibration: each mode runs on a generator of its own.
 */
export function injectDelay(base: ScenarioGenerator, slower: ScenarioGenerator): ScenarioGenerator {
  return {
    generate: (prompt, config) => base.generate(prompt, config),
    generateStream: (prompt, onToken, config) => slower.generateStream(prompt, onToken, config),
    generateStreamAsync: (prompt, config) => slower.generateStreamAsync(prompt, config),
    describe: () => ({ generate: base.describe(), streams: slower.describe() }),
    async close() {
      await Promise.all([base.close(), slower.close()]);
    },
  };
}
