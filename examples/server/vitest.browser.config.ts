import { defineConfig } from "vitest/config";

// Apart from the other tests, because it needs a Chromium.
export default defineConfig({
  test: {
    env: { STREAMGAUGE_TUNING: "rule" },
    pool: "forks",
    include: ["test/*.browser.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
