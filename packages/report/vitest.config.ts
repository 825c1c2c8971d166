import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Nothing is measured while models load, and nobody's cache is read or written.
    env: { STREAMGAUGE_TUNING: "rule" },
    include: ["test/*.test.ts"],
    // Commands are started as processes, which takes its time on a busy machine.
    testTimeout: 60_000,
  },
});
