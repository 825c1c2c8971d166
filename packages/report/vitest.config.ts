import { defineConfig } from "vitest/config";

export default defineConfig({
  // Commands are started as processes, which takes its time on a busy machine.
  test: { include: ["test/*.test.ts"], testTimeout: 60_000 },
});
