import { defineConfig } from "vitest/config";

// Apart from the other tests, because it needs a Chromium.
export default defineConfig({
  test: { include: ["test/*.browser.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});
