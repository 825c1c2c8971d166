import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Nothing is measured while models load, and nobody's cache is read or written.
    env: { STREAMGAUGE_TUNING: "rule" },
    // onnxruntime is a native addon which cannot be loaded into several threads and torn down safely.
    pool: "forks",
    include: ["test/*.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
