import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Nothing is measured while models load, and nobody's cache is read or written.
    env: { STREAMGAUGE_TUNING: "rule" },
    include: ["test/*.test.ts"],
    // Agents are processes that start processes; the limit is there to end what hangs.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
