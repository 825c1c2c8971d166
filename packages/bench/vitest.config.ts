import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Nothing is measured while models load, and nobody's cache is read or written.
    env: { STREAMGAUGE_TUNING: "rule" },
    // Many tests run the command line, or verify a whole record; on a busy machine
    // that takes long. The limit is there to end what hangs.
    testTimeout: 120_000,
  },
});
