import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What `pnpm turbo` runs. */
async function turbo(...args) {
  const { stdout } = await execa("node", ["scripts/turbo.mjs", ...args], {
    cwd: root,
    env: { TURBO_TELEMETRY_DISABLED: "1" },
  });
  return stdout;
}

describe("pnpm turbo", () => {
  it.each([[["bench"]], [["run", "bench"]]])(
    "%j prints what the bench prints, and nothing of its own",
    async (task) => {
      const help = await turbo(...task, "--", "--help");
      expect(help).toMatch(/^Usage: streamgauge bench/);
      expect(help).not.toMatch(/Tasks:|Cached:/);
    },
    120_000,
  );

  it("leaves other tasks and flags to Turborepo", async () => {
    const { tasks } = JSON.parse(await turbo("bench", "--dry=json"));
    expect(tasks.map(({ taskId }) => taskId)).toContain("@streamgauge/bench#bench");
  }, 120_000);
});
